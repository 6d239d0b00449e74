// The three styles with Node's `ws`: reads {url, parameters, audio (base64), sizes, style} from standard input, writes {answers, code}.
import { readFileSync } from "node:fs";
import WebSocket from "ws";

const job = JSON.parse(readFileSync(0, "utf8"));
const audio = Buffer.from(job.audio, "base64");
const messages = [...job.parameters];
for (let at = 0, count = 0; at < audio.length; count++) {
  const size = job.sizes[count % job.sizes.length];
  messages.push(audio.subarray(at, at + size));
  at += size;
}

// How many messages may be unanswered, from the first message on and from the first audio on.
const unanswered = {
  lock_step: [1, 1],
  pipelined_parameters: [job.parameters.length, 1],
  everything_first: [Infinity, Infinity],
}[job.style];

const answers = [];
let sent = 0;
const socket = new WebSocket(job.url);

function send() {
  while (sent < messages.length && sent - answers.length < unanswered[sent < job.parameters.length ? 0 : 1]) {
    const isLast = sent === messages.length - 1;
    socket.send(messages[sent++], isLast ? () => socket.resume() : undefined);
  }
}

socket.on("open", () => {
  if (job.style === "everything_first") socket.pause(); // until the last message has left
  send();
});
socket.on("message", (data) => {
  answers.push(data.toString());
  if (answers.length === messages.length) socket.close(1000);
  else send();
});
socket.on("close", (code) => process.stdout.write(JSON.stringify({ answers, code })));
