// @ts-check
/** @import { System } from "../types.js" */
/** @import { Scope } from "./scope.js" */
import { ApiError, isAbort } from "../api/client.js";

const PAUSE_MS = { reachable: 10_000, lost: 1_500 };

/**
 * Reads the state of the system again and again, and more often while the server is away, so that
 * its return is noticed soon. A call that fails is told to the connection by the client itself.
 *
 * @param {{ scope: Scope, read: (signal: AbortSignal) => Promise<System>,
 *   isReachable: () => boolean, onSystem: (system: System) => void }} edge
 * @returns {() => void} reads now rather than at the next beat
 */
export function startHeartbeat({ scope, read, isReachable, onSystem }) {
  let callOff = () => {};

  async function beat() {
    callOff();
    try {
      onSystem(await read(scope.signal));
    } catch (error) {
      if (isAbort(error)) return;
      if (!(error instanceof ApiError)) throw error;
    }
    callOff();
    callOff = scope.after(isReachable() ? PAUSE_MS.reachable : PAUSE_MS.lost, beat);
  }

  void beat();
  return () => {
    callOff();
    callOff = scope.after(PAUSE_MS.lost, beat);
  };
}
