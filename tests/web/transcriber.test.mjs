import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../src/offscribe/web/api/client.js";
import { startHeartbeat } from "../../src/offscribe/web/state/heartbeat.js";
import { Scope } from "../../src/offscribe/web/state/scope.js";
import { NO_TASKS, reduceTasks } from "../../src/offscribe/web/state/tasks.js";
import { createTranscriber } from "../../src/offscribe/web/state/transcriber.js";

const OPTIONS = { language: "zh", itn: true, hotwords: "", script: "auto" };
const job = (id, state) => ({
  id,
  kind: "transcribe",
  state,
  name: `${id}.wav`,
  record_id: state === "done" ? id : null,
  error: null,
  segments: [],
});
const file = (name) => ({ name, size: 3 });
const settled = () => new Promise((resolve) => setImmediate(resolve));
const problem = (code) => new ApiError({ code, message: code, hint: "" });

/** A desk with a server that accepts everything unless *edge* says otherwise. */
function desk(edge = {}) {
  let tasks = NO_TASKS;
  const uploads = [];
  const scope = new Scope();
  const transcriber = createTranscriber({
    scope,
    dispatch: (event) => (tasks = reduceTasks(tasks, event)),
    list: async () => [],
    upload: async (what) => {
      uploads.push(what.file.name);
      return job(what.file.name, "waiting");
    },
    watch: async (id, { onUpdate }) => onUpdate(job(id, "done")),
    cancel: async (id) => job(id, "cancelled"),
    ...edge,
  });
  return { transcriber, uploads, scope, tasks: () => tasks };
}

test("recordings are sent in the order given and followed to their records", async () => {
  const { transcriber, uploads, tasks } = desk();
  transcriber.start([file("a"), file("b")], OPTIONS);
  await settled();
  assert.deepEqual(uploads, ["a", "b"]);
  assert.deepEqual(tasks().map((task) => [task.name, task.job.record_id]), [["b", "b"], ["a", "a"]]);
});

test("a refused recording tells why and does not hold up the next", async () => {
  const { transcriber, tasks } = desk({
    upload: async ({ file: { name } }) => {
      if (name === "bad") throw problem("audio_unreadable");
      return job(name, "waiting");
    },
  });
  transcriber.start([file("bad"), file("good")], OPTIONS);
  await settled();
  const [good, bad] = tasks();
  assert.equal(bad.problem.code, "audio_unreadable");
  assert.equal(good.phase, "done");
});

test("a fault of the page is reported and does not hold up the next recording either", async (t) => {
  const reported = [];
  globalThis.reportError = (error) => reported.push(error.message);
  t.after(() => delete globalThis.reportError);
  const { transcriber, tasks } = desk({
    upload: async ({ file: { name } }) => {
      if (name === "bug") throw new TypeError("x is undefined");
      return job(name, "waiting");
    },
  });
  transcriber.start([file("bug"), file("good")], OPTIONS);
  await settled();
  assert.deepEqual(tasks().map((task) => task.phase), ["done", "failed"]);
  assert.deepEqual(reported, ["x is undefined"]);
});

test("trying again sends the same recording with the same options", async () => {
  const sent = [];
  const { transcriber, tasks } = desk({
    upload: async (what) => {
      sent.push([what.file.name, what.options.language]);
      if (sent.length === 1) throw problem("unreachable");
      return job("j", "waiting");
    },
  });
  transcriber.start([file("a")], { ...OPTIONS, language: "ja" });
  await settled();
  transcriber.retry(tasks()[0]);
  await settled();
  assert.deepEqual(sent, [["a", "ja"], ["a", "ja"]]);
  assert.deepEqual(tasks().map((task) => task.phase), ["done"]);
});

test("cancelling before the upload sends nothing", async () => {
  const { transcriber, uploads, tasks } = desk();
  transcriber.start([file("a")], OPTIONS);
  await transcriber.cancel(tasks()[0]);
  await settled();
  assert.deepEqual(uploads, []);
  assert.equal(tasks()[0].phase, "cancelled");
});

test("cancelling during the upload ends it without an error", async () => {
  const { transcriber, tasks } = desk({
    upload: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(new DOMException("ended", "AbortError")));
      }),
  });
  transcriber.start([file("a")], OPTIONS);
  await settled();
  await transcriber.cancel(tasks()[0]);
  await settled();
  assert.deepEqual([tasks()[0].phase, tasks()[0].problem], ["cancelled", null]);
});

test("a job that cannot be cancelled any more says so and stays as it is", async () => {
  const { transcriber, tasks } = desk({
    watch: async (id, { onUpdate }) => onUpdate(job(id, "running")),
    cancel: async () => {
      throw problem("conflict");
    },
  });
  transcriber.start([file("a")], OPTIONS);
  await settled();
  assert.equal((await transcriber.cancel(tasks()[0])).code, "conflict");
  assert.equal(tasks()[0].phase, "running");
});

test("after a reload the jobs under way come back, finished ones do not", async () => {
  const followed = [];
  const { transcriber, tasks } = desk({
    list: async () => [job("r", "running"), job("d", "done"), { ...job("v", "running"), kind: "vad" }],
    watch: async (id) => void followed.push(id),
  });
  await transcriber.recover();
  assert.deepEqual(followed, ["r"]);
  assert.deepEqual(tasks().map((task) => task.name), ["r.wav"]);
});

test("coming back a second time does not follow a job twice", async () => {
  const followed = [];
  const { transcriber } = desk({
    list: async () => [job("r", "running")],
    watch: async (id) => void followed.push(id),
  });
  await transcriber.recover();
  await transcriber.recover();
  assert.deepEqual(followed, ["r"]);
});

test("a scope ends its timers, loops, listeners and children together", async () => {
  const scope = new Scope();
  const child = scope.child();
  const target = new EventTarget();
  const heard = [];
  child.listen(target, "ping", () => heard.push("ping"));
  scope.after(0, () => heard.push("timer"));
  const asleep = child.sleep(60_000);
  scope.end();
  target.dispatchEvent(new Event("ping"));
  await asleep;
  await new Promise((resolve) => setTimeout(resolve, 2));
  assert.deepEqual(heard, []);
  assert.ok(child.signal.aborted);
});

test("a child that ends leaves its parent alone", () => {
  const scope = new Scope();
  scope.child().end();
  assert.equal(scope.signal.aborted, false);
});

/** A scope whose timers are called by hand. */
class HandScope extends Scope {
  timers = [];
  after(ms, action) {
    const timer = { ms, action };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((other) => other !== timer));
  }
}

test("the heart beats slowly with a server, fast without, and never twice at once", async () => {
  const scope = new HandScope();
  let state = "starting";
  const seen = [];
  const hurry = startHeartbeat({
    scope,
    read: async () => {
      if (state === "away") throw problem("unreachable");
      return { worker: { state } };
    },
    onSystem: (system) => seen.push(system.worker.state),
  });
  const beat = async (next) => {
    state = next;
    scope.timers[0].action();
    await settled();
  };
  const pauses = () => scope.timers.map(({ ms }) => ms);
  await settled();
  assert.deepEqual(pauses(), [1500]);
  await beat("idle");
  assert.deepEqual(pauses(), [10_000]);
  hurry();
  assert.deepEqual(pauses(), [1500]);
  await beat("away");
  assert.deepEqual(pauses(), [1500]);
  await beat("idle");
  assert.deepEqual(pauses(), [10_000]);
  assert.deepEqual(seen, ["starting", "idle", "idle"]);
});
