// A browser-like das-Peak client: npm socket.io-client asks, npm ws streams as Twilio does. argv: JSON of what to do.
import { io } from "socket.io-client";
import { readFileSync } from "node:fs";
import WebSocket from "ws";

const { url, namespace, transports, token, key, file, initialize } = JSON.parse(process.argv[2]);
const socket = io(`http://${url}${namespace}`, { transports, auth: { token }, reconnection: false });
const events = [];

function stream() {
  const audio = readFileSync(file);
  const line = new WebSocket(`ws://${url}/daspeak-stream/v1/twilio`);
  const say = (message) => line.readyState === WebSocket.OPEN && line.send(JSON.stringify(message));
  line.on("open", () => {
    say({ event: "connected", protocol: "Call", version: "1.0.0" });
    const mediaFormat = { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 };
    say({ event: "start", sequenceNumber: "1", start: { callSid: initialize.metadata.call_id, customParameters: { apikey: key }, mediaFormat } });
    for (let at = 0; at < audio.length; at += 160) {
      say({ event: "media", media: { track: "inbound", payload: audio.subarray(at, at + 160).toString("base64") } });
    }
  });
}

socket.onAny((name, payload, voice) => {
  events.push([name, payload, Buffer.isBuffer(voice) ? voice.length : voice]);
  if (name === "info-consumer-ready") stream();
});
socket.on("connect_error", (error) => process.stdout.write(JSON.stringify({ refused: error.message }), () => process.exit(0)));
socket.on("connect", () => socket.emit("initialize", initialize));
socket.on("disconnect", (reason) => {
  const transport = socket.io.engine?.transport.name;
  process.stdout.write(JSON.stringify({ events, reason, transport }), () => process.exit(0));
});
