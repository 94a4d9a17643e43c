// A container's life through openapi-fetch with the types that openapi-typescript makes; docs/clients.md tells how.
//
//     node openapi-fetch.js http://localhost:8888 /containers/redis

import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";

import createClient from "openapi-fetch";

import type { components, paths } from "./api.js";

type Problem = components["schemas"]["Problem"];
type Event = components["schemas"]["Event"];

const [baseUrl, bundlePath] = process.argv.slice(2);
const id = "life-in-openapi-fetch";
const path = { id };
const api = createClient<paths>({ baseUrl });

function done<T>({ data, error }: { data?: T; error?: Problem }): T {
  if (error) throw new Error(error.detail);
  return data as T;
}

// From here on: an earlier run's events are not this one's. The stream stays open, and its lines are read at the end.
const { data: stream } = await api.GET("/events", { params: { query: { id } }, parseAs: "stream" });

let container = done(await api.POST("/containers/{id}", { params: { path }, body: { bundlePath } }));
console.log("start:", container.state.status);

const added = done(
  await api.PUT("/containers/{id}/process", { params: { path }, body: { args: ["sleep", "1000"] } }),
);
console.log("process:", ...(added.args ?? []));

const { data: state } = await api.GET("/state");
console.log("state:", state?.containers.find((one) => one.id === id)?.processes.length, "processes");

const one = { path: { id, pid: added.pid } };
done(await api.POST("/containers/{id}/process/{pid}", { params: one, body: { signal: 15 } }));
const ended = done(
  await api.GET("/containers/{id}/process/{pid}/wait", { params: { ...one, query: { timeout: 10 } } }),
);
console.log("signal:", ended.state.status, ended.state.exitSignal);

container = done(await api.PATCH("/containers/{id}", { params: { path }, body: { status: "paused" } }));
console.log("pause:", container.state.status);
container = done(await api.PATCH("/containers/{id}", { params: { path }, body: { status: "running" } }));
console.log("resume:", container.state.status);

const checkpoint = { path: { id, checkpoint: "of" } };
const made = done(
  await api.POST("/containers/{id}/checkpoint/{checkpoint}", { params: checkpoint, body: { exit: true } }),
);
console.log("checkpoint:", ...made.processes.map((one) => one.command));
const list = done(
  await api.GET("/containers/{id}/checkpoint", { params: { path, query: { sort: "newest" } } }),
);
console.log("list:", list.length);

container = done(
  await api.POST("/containers/{id}", { params: { path }, body: { bundlePath, checkpoint: "of" } }),
);
console.log("restore:", container.state.status);

const { error: problem } = await api.POST("/containers/{id}", { params: { path }, body: { bundlePath } });
if (problem) console.log("problem:", problem.status, problem.type, problem.title);

done(await api.DELETE("/containers/{id}/checkpoint/{checkpoint}", { params: checkpoint }));
done(await api.DELETE("/containers/{id}", { params: { path, query: { force: true } } }));
console.log("delete: done");

for await (const line of createInterface({ input: Readable.fromWeb(stream as ReadableStream) })) {
  const event: Event = JSON.parse(line);
  console.log("event:", event.type);
  if (event.type === "delete") break;
}
process.exit(); // the stream is still open
