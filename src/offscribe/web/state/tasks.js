// @ts-check
/** @import { Job, Problem, Segment } from "../types.js" */

/**
 * A task is one recording on its way to text, from the moment it is chosen: first an upload, then a
 * job of the server. A waiting or running task is active.
 *
 * @typedef {"queued" | "uploading" | "waiting" | "paused" | "running" | "done" | "failed" | "cancelled"} Phase
 *
 * @typedef {{ key: string, name: string, sizeBytes: number, phase: Phase, uploaded: number,
 *   job: Job | null, segments: Segment[], problem: Problem | null, isOpen: boolean,
 *   canRetry: boolean }} Task
 *
 * @typedef {{ type: "added", key: string, name: string, sizeBytes: number, isOpen: boolean }
 *   | { type: "uploading", key: string, fraction: number }
 *   | { type: "progressed", key: string, job: Job }
 *   | { type: "failed", key: string, problem: Problem }
 *   | { type: "cancelled", key: string }
 *   | { type: "toggled", key: string }
 *   | { type: "dismissed", key: string }
 *   | { type: "found", jobs: Job[] }} TaskEvent
 */

/** @type {readonly Task[]} */
export const NO_TASKS = [];

/** @param {readonly Task[]} tasks newest first @param {TaskEvent} event @returns {readonly Task[]} */
export function reduceTasks(tasks, event) {
  switch (event.type) {
    case "added":
      return [newTask(event), ...tasks];
    case "found":
      return [...tasks, ...event.jobs.filter((job) => !isKnown(tasks, job)).map(foundTask)];
    case "dismissed":
      return tasks.filter((task) => task.key !== event.key);
    default:
      return tasks.map((task) => (task.key === event.key ? reduceTask(task, event) : task));
  }
}

/** @param {Task} task @param {TaskEvent} event @returns {Task} */
function reduceTask(task, event) {
  switch (event.type) {
    case "uploading":
      return { ...task, phase: "uploading", uploaded: event.fraction };
    case "progressed":
      return progressed(task, event.job);
    case "failed":
      return { ...task, phase: "failed", problem: event.problem };
    case "cancelled":
      return { ...task, phase: "cancelled" };
    case "toggled":
      return { ...task, isOpen: !task.isOpen };
    default:
      return task;
  }
}

/** @param {{ key: string, name: string, sizeBytes: number, isOpen: boolean }} what @returns {Task} */
function newTask({ key, name, sizeBytes, isOpen }) {
  return {
    key,
    name,
    sizeBytes,
    isOpen,
    phase: "queued",
    uploaded: 0,
    job: null,
    segments: [],
    problem: null,
    canRetry: true,
  };
}

/** @param {Job} job @returns {Task} a task whose file is no longer at hand, after a reload */
function foundTask(job) {
  const task = newTask({ key: job.id, name: job.name, sizeBytes: 0, isOpen: true });
  return { ...progressed(task, job), canRetry: false };
}

/** @param {Job} job whether it may still change */
export const isUnderWay = ({ state }) =>
  state === "waiting" || state === "paused" || state === "running";

/** @param {Task} task @param {Job} job @returns {Task} */
function progressed(task, job) {
  const late = task.phase === "cancelled" && isUnderWay(job);
  return {
    ...task,
    job,
    phase: late ? task.phase : job.state,
    segments: mergeSegments(task.segments, job.segments ?? []),
    problem: job.error,
  };
}

/**
 * Segments in order, each index once: after a reconnection the server may give some again.
 *
 * @param {Segment[]} known @param {Segment[]} fresh @returns {Segment[]}
 */
export function mergeSegments(known, fresh) {
  if (fresh.length === 0) return known;
  const byIndex = new Map([...known, ...fresh].map((segment) => [segment.index, segment]));
  return [...byIndex.values()].sort((a, b) => a.index - b.index);
}

/** @param {readonly Task[]} tasks @param {Job} job */
const isKnown = (tasks, job) => tasks.some((task) => task.job?.id === job.id);

/** @param {Task} task */
export const isActive = ({ phase }) =>
  ["queued", "uploading", "waiting", "paused", "running"].includes(phase);

/**
 * What one press of Esc cancels: what is being recognised, else what would be next.
 *
 * @param {readonly Task[]} tasks newest first @returns {Task | undefined}
 */
export function nextToCancel(tasks) {
  const oldestFirst = tasks.filter(isActive).reverse();
  return oldestFirst.find((task) => task.phase === "running") ?? oldestFirst[0];
}

/**
 * How far a task has come, 0 to 1; null while that cannot be known.
 *
 * @param {Task} task @returns {number | null}
 */
export function fractionOf({ phase, uploaded, job }) {
  if (phase === "uploading") return uploaded;
  if (phase === "done") return 1;
  if (phase !== "running" || !job?.duration) return null;
  return Math.min(job.done / job.duration, 1);
}

/**
 * Progress as it is read out: in steps of ten percent, so that nobody is flooded.
 *
 * @param {Task} task @returns {{ phase: Phase, percent: number | null }}
 */
export function milestoneOf(task) {
  const fraction = fractionOf(task);
  return {
    phase: task.phase,
    percent: fraction === null ? null : Math.floor(fraction * 10 + 1e-9) * 10,
  };
}
