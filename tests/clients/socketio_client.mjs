// npm socket.io-client: argv is the URL and the transports; what happened is written as JSON.
import { io } from "socket.io-client";

const [url, names] = process.argv.slice(2);
const transports = names.split(",");
const last = transports.at(-1);
const told = {};
const hex = (value) => (Buffer.isBuffer(value) ? value.toString("hex") : value);
const after = (emitter, event) => new Promise((resolve) => emitter.once(event, (...values) => resolve(values)));

const root = io(url, { transports, auth: { token: "t" }, reconnection: false });
const auth = after(root, "auth");
await after(root, "connect");
const engine = root.io.engine;
if (engine.transport.name !== last) await after(engine, "upgrade");
told.auth = (await auth)[0];
const back = after(root, "message-back");
root.emit("message", "a", Buffer.from([0, 255]), { b: [1, true] });
told.back = (await back).map(hex);
told.ack = await new Promise((resolve) => root.emit("message-with-ack", "c", Buffer.from([1]), (...values) => resolve(values.map(hex))));
told.transport = engine.transport.name;

const nope = io(`${url}/nope`, { transports, reconnection: false });
told.nope = (await after(nope, "connect_error"))[0].message === "Invalid namespace" ? "refused" : "?";
nope.close();
root.close();
process.stdout.write(JSON.stringify(told));
