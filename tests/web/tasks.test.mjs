import assert from "node:assert/strict";
import { test } from "node:test";
import {
  NO_TASKS,
  fractionOf,
  isActive,
  mergeSegments,
  milestoneOf,
  nextToCancel,
  reduceTasks,
} from "../../src/offscribe/web/state/tasks.js";

const after = (...events) => events.reduce(reduceTasks, NO_TASKS);
const added = (key) => ({ type: "added", key, name: `${key}.wav`, sizeBytes: 8, isOpen: true });
const job = (id, state, more = {}) => ({
  id,
  kind: "transcribe",
  state,
  stage: null,
  name: `${id}.wav`,
  duration: null,
  done: 0,
  record_id: null,
  error: null,
  segments: [],
  ...more,
});
const progressed = (key, value) => ({ type: "progressed", key, job: value });
const segment = (index, text) => ({ index, start: index, end: index + 1, text, itn_text: text });

test("the newest task stands first", () => {
  assert.deepEqual(after(added("a"), added("b")).map((task) => task.key), ["b", "a"]);
});

test("an upload counts up to its job, whose state then rules", () => {
  const sent = after(added("a"), { type: "uploading", key: "a", fraction: 0.25 });
  assert.equal(fractionOf(sent[0]), 0.25);
  const [running] = reduceTasks(sent, progressed("a", job("j", "running", { duration: 40, done: 10 })));
  assert.equal(running.phase, "running");
  assert.equal(fractionOf(running), 0.25);
});

test("progress is unknown while the duration is", () => {
  const [task] = after(added("a"), progressed("a", job("j", "running")));
  assert.equal(fractionOf(task), null);
});

test("progress never passes one, whatever the clock of the decoder says", () => {
  const [task] = after(added("a"), progressed("a", job("j", "running", { duration: 10, done: 10.4 })));
  assert.equal(fractionOf(task), 1);
});

test("segments that come in pieces, twice or out of order stand in order, once", () => {
  const merged = mergeSegments(
    [segment(0, "一"), segment(1, "old")],
    [segment(3, "四"), segment(1, "二"), segment(2, "三")],
  );
  assert.deepEqual(merged.map(({ text }) => text), ["一", "二", "三", "四"]);
});

test("no news keeps the very same list, so nothing is drawn again", () => {
  const known = [segment(0, "一")];
  assert.equal(mergeSegments(known, []), known);
});

test("a job that failed brings its problem and its partial text", () => {
  const error = { code: "disk_full", message: "full", hint: "" };
  const [task] = after(
    added("a"),
    progressed("a", job("j", "running", { segments: [segment(0, "一")] })),
    progressed("a", job("j", "failed", { error })),
  );
  assert.equal(task.phase, "failed");
  assert.equal(task.problem.code, "disk_full");
  assert.deepEqual(task.segments.map(({ text }) => text), ["一"]);
});

test("a late report of work does not revive what was cancelled", () => {
  const cancelled = after(added("a"), { type: "cancelled", key: "a" });
  assert.equal(reduceTasks(cancelled, progressed("a", job("j", "running")))[0].phase, "cancelled");
});

test("jobs found after a reload come once, and cannot be sent again", () => {
  const known = after(added("a"), progressed("a", job("j", "running")));
  const tasks = reduceTasks(known, { type: "found", jobs: [job("j", "running"), job("k", "waiting")] });
  assert.deepEqual(tasks.map((task) => [task.job.id, task.canRetry]), [["j", true], ["k", false]]);
});

test("Esc cancels what runs, else what would run next", () => {
  const tasks = after(added("a"), added("b"), added("c"));
  assert.equal(nextToCancel(tasks).key, "a");
  const running = reduceTasks(tasks, progressed("b", job("j", "running")));
  assert.equal(nextToCancel(running).key, "b");
  const over = ["a", "b", "c"].reduce((all, key) => reduceTasks(all, { type: "cancelled", key }), tasks);
  assert.equal(nextToCancel(over), undefined);
  assert.equal(over.some(isActive), false);
});

test("milestones move in steps of ten percent", () => {
  const at = (done) => milestoneOf(after(added("a"), progressed("a", job("j", "running", { duration: 100, done })))[0]);
  assert.deepEqual([0, 9.9, 10, 29.9, 30, 100].map((done) => at(done).percent), [0, 0, 10, 20, 30, 100]);
});

test("a dismissed task is gone", () => {
  assert.deepEqual(after(added("a"), { type: "dismissed", key: "a" }), []);
});
