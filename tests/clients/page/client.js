// The vendor's kind of JavaScript client: ScriptProcessor, all parameters in onopen, audio without waiting, enrolment by XMLHttpRequest.
// Options after "?": server=host:port, rate=Hz of the AudioContext, enrol_s, other=a template of somebody else (any number).
"use strict";

const options = new URLSearchParams(location.search);
const server = options.get("server") ?? "127.0.0.1:8080";
const enrolSeconds = Number(options.get("enrol_s") ?? 5);
const bufferSamples = 4096;
const opusRates = [8000, 12000, 16000, 24000, 48000];

const answers = {}; // by the name of the stream, for whoever looks at this page from outside
const byId = (id) => document.getElementById(id);
const say = (text) => (byId("state").textContent = text);

function pcm16(samples) {
  return Int16Array.from(samples, (value) => Math.max(-1, Math.min(1, value)) * (value < 0 ? 0x8000 : 0x7fff));
}

// Everything the microphone hears goes to `hear`, in buffers of 4096 samples.
async function listen(hear) {
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
  const context = options.has("rate") ? new AudioContext({ sampleRate: Number(options.get("rate")) }) : new AudioContext();
  const processor = context.createScriptProcessor(bufferSamples, 1, 1);
  processor.onaudioprocess = (event) => {
    const samples = event.inputBuffer.getChannelData(0);
    byId("level").value = Math.max(...samples);
    hear(samples.slice());
  };
  context.createMediaStreamSource(microphone).connect(processor);
  processor.connect(context.destination);
  return context.sampleRate;
}

function enrol(samples, rate, done) {
  const request = new XMLHttpRequest();
  request.open("POST", `http://${server}/voice_template_factory/create_voice_template_from_samples?sample_rate=${rate}`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.onloadend = () => (request.status === 200 ? done(request.response) : say(`Enrolment failed: ${request.status} ${request.response}`));
  request.send(new Blob([pcm16(samples)]));
}

// One stream: a row of the table and a socket; `send` takes a message and drops it while the socket is not open.
function stream(name, path, parameters) {
  const row = byId("streams").insertRow();
  const [, count, last] = [name, "0", "–"].map((text) => Object.assign(row.insertCell(), { textContent: text }));
  answers[name] = [];
  const socket = new WebSocket(`ws://${server}${path}`);
  socket.onopen = () => parameters.forEach((parameter) => socket.send(parameter));
  socket.onmessage = (event) => {
    answers[name].push(event.data);
    count.textContent = answers[name].length - parameters.length;
    if (event.data !== "[]") last.textContent = event.data.length > 200 ? `${event.data.slice(0, 200)}…` : event.data;
  };
  socket.onclose = (event) => (last.textContent = `closed: ${event.code} ${event.reason}`);
  return (message) => socket.readyState === WebSocket.OPEN && socket.send(message);
}

function openStreams(template, rate, suffix) {
  const verify = (name, template) => stream(`${name}${suffix}`, `/voice_verify_stream${suffix}`, [template, `${rate}`, "10", "3"]);
  const opened = [
    stream(`endpoint${suffix}`, `/speech_endpoint_detector${suffix}`, ["300", "500", `${rate}`]),
    stream(`summary${suffix}`, `/speech_summary_stream${suffix}`, [`${rate}`]),
    verify("verify", template),
    ...options.getAll("other").map((other, index) => verify(`other ${index + 1}`, other)),
  ];
  return (message) => opened.forEach((send) => send(message));
}

// Float samples to Opus packets of 20 ms by the browser's own encoder.
function opusEncoder(rate, send) {
  const encoder = new AudioEncoder({
    output: (chunk) => {
      const packet = new Uint8Array(chunk.byteLength);
      chunk.copyTo(packet);
      send(packet);
    },
    error: (error) => say(`Opus: ${error.message}`),
  });
  encoder.configure({ codec: "opus", sampleRate: rate, numberOfChannels: 1, bitrate: 24000, opus: { frameDuration: 20000 } });
  let heard = 0;
  return (samples) => {
    const timestamp = Math.round((heard * 1e6) / rate);
    heard += samples.length;
    encoder.encode(
      new AudioData({ format: "f32-planar", sampleRate: rate, numberOfFrames: samples.length, numberOfChannels: 1, timestamp, data: samples }),
    );
  };
}

async function run() {
  const collected = [];
  let rate;
  let hear = (samples) => {
    collected.push(...samples);
    if (rate === undefined || collected.length < enrolSeconds * rate) return;
    hear = () => {};
    say("Enrolling");
    enrol(collected, rate, (template) => {
      say("Streaming");
      const sendPcm16 = openStreams(template, rate, "");
      const encodeOpus = opusRates.includes(rate) ? opusEncoder(rate, openStreams(template, rate, "_opus")) : () => {};
      hear = (samples) => {
        sendPcm16(pcm16(samples));
        encodeOpus(samples);
      };
    });
  };
  rate = await listen((samples) => hear(samples));
  say(`Recording ${enrolSeconds} s at ${rate} Hz`);
}

run().catch((error) => say(`Failed: ${error.message}`));
