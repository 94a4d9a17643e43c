// A container's life through the client that openapi-generator makes; docs/clients.md tells how.
//
//     node openapi-generator.js http://localhost:8888 /containers/redis

import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";

import {
  CheckpointsApi,
  Configuration,
  ContainersApi,
  DaemonApi,
  EventFromJSON,
  EventType,
  ProblemFromJSON,
  ProcessesApi,
  ResponseError,
  TargetStatus,
} from "./client/index.js";

const [basePath, bundlePath] = process.argv.slice(2);
const id = "life-in-typescript";
const at = new Configuration({ basePath });
const containers = new ContainersApi(at);
const processes = new ProcessesApi(at);
const checkpoints = new CheckpointsApi(at);
const daemon = new DaemonApi(at);

// From here on: an earlier run's events are not this one's. The stream stays open, and its lines are read at the end.
const { raw } = await daemon.getEventsRaw({ id });

let container = await containers.startContainer({ id, body: { bundlePath } });
console.log("start:", container.state.status);

const added = await processes.createProcess({ id, body: { args: ["sleep", "1000"] } });
console.log("process:", ...(added.args ?? []));

const state = await daemon.getState();
console.log("state:", state.containers.find((one) => one.id === id)?.processes.length, "processes");

await processes.signalProcess({ id, pid: added.pid, body: { signal: 15 } });
const ended = await processes.waitProcess({ id, pid: added.pid, timeout: 10 });
console.log("signal:", ended.state.status, ended.state.exitSignal);

container = await containers.updateContainer({ id, body: { status: TargetStatus.Paused } });
console.log("pause:", container.state.status);
container = await containers.updateContainer({ id, body: { status: TargetStatus.Running } });
console.log("resume:", container.state.status);

const made = await checkpoints.createCheckpoint({ id, checkpoint: "ts", body: { exit: true } });
console.log("checkpoint:", ...made.processes.map((one) => one.command));
console.log("list:", (await checkpoints.listCheckpoints({ id, sort: "newest" })).length);

container = await containers.startContainer({ id, body: { bundlePath, checkpoint: "ts" } });
console.log("restore:", container.state.status);

try {
  await containers.startContainer({ id, body: { bundlePath } });
} catch (error) {
  if (!(error instanceof ResponseError)) throw error;
  const problem = ProblemFromJSON(await error.response.json());
  console.log("problem:", problem.status, problem.type, problem.title);
}

await checkpoints.deleteCheckpoint({ id, checkpoint: "ts" });
await containers.deleteContainer({ id, force: true });
console.log("delete: done");

for await (const line of createInterface({ input: Readable.fromWeb(raw.body as ReadableStream) })) {
  const event = EventFromJSON(JSON.parse(line));
  console.log("event:", event.type);
  if (event.type === EventType.Delete) break;
}
process.exit(); // the stream is still open
