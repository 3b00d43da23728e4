// @ts-check
/** @import { Job, Problem, RecognizeOptions } from "../types.js" */
/** @import { Task, TaskEvent } from "./tasks.js" */
/** @import { Scope } from "./scope.js" */
import { ApiError, isAbort } from "../api/client.js";
import { isUnderWay } from "./tasks.js";

/**
 * Takes recordings to the server and follows them; says what happens as task events. Recordings
 * are sent one after another, in the order given; what is sent is recognised meanwhile.
 *
 * @param {{ scope: Scope, dispatch: (event: TaskEvent) => void,
 *   list: (signal: AbortSignal) => Promise<Job[]>,
 *   upload: (what: { file: File, options: RecognizeOptions, signal: AbortSignal,
 *     onProgress: (fraction: number) => void }) => Promise<Job>,
 *   watch: (id: string, way: { onUpdate: (job: Job) => void,
 *     sleep: (ms: number) => Promise<void>, signal: AbortSignal }) => Promise<void>,
 *   cancel: (id: string) => Promise<Job> }} edge
 */
export function createTranscriber({ scope, dispatch, list, upload, watch, cancel }) {
  /** @type {Map<string, { file: File, options: RecognizeOptions, scope: Scope }>} */
  const outgoing = new Map();
  /** @type {Set<string>} jobs that have a follower */
  const followed = new Set();
  let sending = Promise.resolve();
  let count = 0;

  /** @param {string} key @param {Scope} own */
  async function send(key, own) {
    const parcel = outgoing.get(key);
    if (own.signal.aborted || parcel === undefined) return;
    dispatch({ type: "uploading", key, fraction: 0 });
    try {
      const onProgress = (/** @type {number} */ fraction) =>
        dispatch({ type: "uploading", key, fraction });
      const job = await upload({ ...parcel, signal: own.signal, onProgress });
      dispatch({ type: "progressed", key, job });
      void follow(key, job.id, own);
    } catch (error) {
      refuse(key, error);
    }
  }

  /** @param {string} key @param {string} id @param {Scope} own */
  async function follow(key, id, own) {
    followed.add(id);
    try {
      const onUpdate = (/** @type {Job} */ job) => dispatch({ type: "progressed", key, job });
      await watch(id, { onUpdate, sleep: (ms) => own.sleep(ms), signal: own.signal });
    } catch (error) {
      refuse(key, error);
    }
  }

  /**
   * A fault of the page itself is reported to the console and ends this task alone; the next
   * recording is still sent.
   *
   * @param {string} key @param {unknown} error
   */
  function refuse(key, error) {
    if (isAbort(error)) return;
    if (error instanceof ApiError) return dispatch({ type: "failed", key, problem: error.problem });
    reportError(error);
    dispatch({ type: "failed", key, problem: { code: "internal", message: String(error), hint: "" } });
  }

  /** @param {string} key @param {File} file @param {RecognizeOptions} options @param {boolean} isOpen */
  function add(key, file, options, isOpen) {
    const own = scope.child();
    outgoing.set(key, { file, options, scope: own });
    dispatch({ type: "added", key, name: file.name, sizeBytes: file.size, isOpen });
    sending = sending.then(() => send(key, own));
  }

  return {
    /** @param {readonly File[]} files @param {RecognizeOptions} options */
    start(files, options) {
      for (const file of files) add(`t${++count}`, file, options, files.length === 1);
    },

    /** @param {Task} task sends the same recording with the same options once more */
    retry(task) {
      const parcel = outgoing.get(task.key);
      if (parcel === undefined) return;
      outgoing.delete(task.key);
      dispatch({ type: "dismissed", key: task.key });
      add(`t${++count}`, parcel.file, parcel.options, task.isOpen);
    },

    /**
     * Ends an upload at once; asks the server to stop a job, whose follower then sees it end.
     *
     * @param {Task} task @returns {Promise<Problem | null>} why it could not be cancelled
     */
    async cancel(task) {
      if (task.job === null) {
        outgoing.get(task.key)?.scope.end();
        dispatch({ type: "cancelled", key: task.key });
        return null;
      }
      try {
        dispatch({ type: "progressed", key: task.key, job: await cancel(task.job.id) });
        return null;
      } catch (error) {
        if (error instanceof ApiError) return error.problem;
        throw error;
      }
    },

    /** @param {Task} task takes a finished task off the page; its record stays */
    dismiss(task) {
      outgoing.get(task.key)?.scope.end();
      outgoing.delete(task.key);
      dispatch({ type: "dismissed", key: task.key });
    },

    /** Finds the jobs that were under way before the page was loaded, and follows them. */
    async recover() {
      await sending; // what this page is sending is not a stranger's
      const isNews = (/** @type {Job} */ job) =>
        job.kind === "transcribe" && isUnderWay(job) && !followed.has(job.id);
      const jobs = (await list(scope.signal)).filter(isNews);
      dispatch({ type: "found", jobs });
      for (const job of jobs) void follow(job.id, job.id, scope.child());
    },
  };
}

/** @typedef {ReturnType<typeof createTranscriber>} Transcriber */
