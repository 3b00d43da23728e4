// @ts-check
/** @import { Job, RecognizeOptions } from "../types.js" */
/** @import { Client } from "./client.js" */
import { ApiError, UNREACHABLE, problemOf, unreachable } from "./client.js";

/**
 * How the page learns of a job's progress is decided here alone: by asking. A running job is asked
 * about often, one that waits its turn seldom, and a lost server patiently.
 */
const PAUSE_MS = { running: 500, waiting: 1500, lost: 2000 };

/** @param {Client} client @param {AbortSignal} [signal] @returns {Promise<Job[]>} newest first */
export async function listJobs(client, signal) {
  return (await client.get("/api/jobs?limit=50", signal)).jobs;
}

/** @param {Client} client @param {string} id @returns {Promise<Job>} */
export function cancelJob(client, id) {
  return client.post(`/api/jobs/${encodeURIComponent(id)}/cancel`);
}

/**
 * Send a recording. XMLHttpRequest, since fetch cannot tell how much of an upload has gone.
 *
 * @param {Client} client
 * @param {{ file: File, options: RecognizeOptions, signal: AbortSignal,
 *   onProgress: (fraction: number) => void }} what
 * @returns {Promise<Job>}
 */
export function uploadJob(client, { file, options, signal, onProgress }) {
  const form = new FormData();
  form.append("language", options.language);
  form.append("itn", String(options.itn));
  form.append("hotwords", options.hotwords);
  form.append("script", options.script);
  form.append("audio", file, file.name);
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      client.onReach();
      if (request.status === 202) resolve(request.response);
      else reject(new ApiError(problemIn(request)));
    };
    request.onerror = () => {
      client.onLoss();
      reject(unreachable());
    };
    request.onabort = () => reject(new DOMException("upload ended", "AbortError"));
    request.open("POST", "/api/jobs");
    request.responseType = "json";
    request.send(form);
  });
}

/** @param {XMLHttpRequest} request @returns {import("../types.js").Problem} */
const problemIn = ({ status, response }) => problemOf(status, JSON.stringify(response));

/**
 * Follow a job to its end, giving every state and the segments after those already given. Outlives
 * a restart of the server. Ends silently once *signal* is aborted; throws ApiError where the job is
 * not known (any more).
 *
 * @param {Client} client
 * @param {string} id
 * @param {{ onUpdate: (job: Job) => void, sleep: (ms: number) => Promise<void>,
 *   signal: AbortSignal }} way
 */
export async function watchJob(client, id, { onUpdate, sleep, signal }) {
  let after = 0;
  while (!signal.aborted) {
    const job = await ask(client, `/api/jobs/${encodeURIComponent(id)}?after=${after}`, signal);
    if (job !== null) {
      onUpdate(job);
      if (job.state !== "waiting" && job.state !== "running") return;
      after = Math.max(after, ...(job.segments ?? []).map((segment) => segment.index + 1));
    }
    await sleep(PAUSE_MS[job === null ? "lost" : job.state === "running" ? "running" : "waiting"]);
  }
}

/**
 * @param {Client} client @param {string} path @param {AbortSignal} signal
 * @returns {Promise<Job | null>} null while the server is away
 */
async function ask(client, path, signal) {
  try {
    return await client.get(path, signal);
  } catch (error) {
    if (error instanceof ApiError && error.problem.code === UNREACHABLE) return null;
    throw error;
  }
}
