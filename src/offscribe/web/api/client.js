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
  /** @param {string} path @param {RequestInit} init @returns {Promise<Response>} */
  async function request(path, init) {
    let response;
    try {
      response = await fetch(path, init);
    } catch (error) {
      if (isAbort(error)) throw error;
      onLoss();
      throw unreachable();
    }
    onReach();
    if (!response.ok) throw new ApiError(problemOf(response.status, await response.text()));
    return response;
  }

  /** @param {string} method */
  const json =
    (method) =>
    /** @param {string} path @param {AbortSignal} [signal] @returns {Promise<any>} */
    async (path, signal) =>
      (await request(path, { method, signal: signal ?? null })).json();

  return {
    get: json("GET"),
    post: json("POST"),
    remove: json("DELETE"),
    /** @param {string} path @param {AbortSignal} [signal] */
    blob: async (path, signal) => (await request(path, { signal: signal ?? null })).blob(),
    onReach,
    onLoss,
  };
}

/** @typedef {ReturnType<typeof createClient>} Client */
