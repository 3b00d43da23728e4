// @ts-check
/** @import { Problem } from "../types.js" */

/** A call that the server refused, or that never reached it (code `unreachable`). */
export class ApiError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.message);
    this.name = "ApiError";
    this.problem = problem;
  }
}

export const UNREACHABLE = "unreachable";

/** @returns {ApiError} */
export function unreachable() {
  return new ApiError({ code: UNREACHABLE, message: "The server did not answer.", hint: "" });
}

/** @param {unknown} error @returns {boolean} whether the call was ended on purpose, by its scope */
export function isAbort(error) {
  return error instanceof DOMException && error.name === "AbortError";
}

/**
 * The problem in an answer that is not a success. An answer without our error shape (a proxy's
 * page, say) keeps its status as the message.
 *
 * @param {number} status @param {string} body @returns {Problem}
 */
export function problemOf(status, body) {
  try {
    const { error } = JSON.parse(body);
    if (typeof error?.code === "string") return error;
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error;
  }
  return { code: "bad_answer", message: `HTTP ${status}`, hint: "" };
}

/**
 * The way to the server. *onReach* and *onLoss* hear of every call's fate, so that the page knows
 * of a lost server from whatever it was doing.
 *
 * @param {{ fetch: typeof globalThis.fetch, onReach?: () => void, onLoss?: () => void }} edge
 */
export function createClient({ fetch, onReach = () => {}, onLoss = () => {} }) {
  /**
   * An answer counts once its body is whole: a server that dies while it answers is as lost as one
   * that does not.
   *
   * @template T
   * @param {string} path @param {RequestInit} init
   * @param {(response: Response) => Promise<T>} read
   * @returns {Promise<T>}
   */
  async function call(path, init, read) {
    let response, answer, refusal;
    try {
      response = await fetch(path, init);
      if (response.ok) answer = await read(response);
      else refusal = await response.text();
    } catch (error) {
      if (isAbort(error)) throw error;
      if (response && error instanceof SyntaxError) refusal = "";
      else {
        onLoss();
        throw unreachable();
      }
    }
    onReach();
    if (refusal !== undefined) throw new ApiError(problemOf(response.status, refusal));
    return /** @type {T} */ (answer);
  }

  /** @param {string} method */
  const json =
    (method) =>
    /** @param {string} path @param {AbortSignal} [signal] @returns {Promise<any>} */
    (path, signal) =>
      call(path, { method, signal: signal ?? null }, (response) => response.json());

  return {
    get: json("GET"),
    post: json("POST"),
    remove: json("DELETE"),
    /** @param {string} path @param {AbortSignal} [signal] */
    blob: (path, signal) => call(path, { signal: signal ?? null }, (response) => response.blob()),
    onReach,
    onLoss,
  };
}

/** @typedef {ReturnType<typeof createClient>} Client */
