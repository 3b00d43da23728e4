// @ts-check
/** @import { System } from "../types.js" */
/** @import { Scope } from "./scope.js" */
import { ApiError, isAbort } from "../api/client.js";

const PAUSE_MS = { settled: 10_000, changing: 1_500 };

/**
 * Reads the state of the system again and again, and more often while the server is away or its
 * worker starts, so that the change is noticed soon. A call that fails is told to the connection by the client itself.
 *
 * @param {{ scope: Scope, read: (signal: AbortSignal) => Promise<System>,
 *   onSystem: (system: System) => void }} edge
 * @returns {() => void} reads now rather than at the next beat
 */
export function startHeartbeat({ scope, read, onSystem }) {
  let callOff = () => {};

  async function beat() {
    callOff();
    let isSettled = false;
    try {
      const system = await read(scope.signal);
      isSettled = system.worker.state !== "starting";
      onSystem(system);
    } catch (error) {
      if (isAbort(error)) return;
      if (!(error instanceof ApiError)) throw error;
    }
    callOff();
    callOff = scope.after(isSettled ? PAUSE_MS.settled : PAUSE_MS.changing, beat);
  }

  void beat();
  return () => {
    callOff();
    callOff = scope.after(PAUSE_MS.changing, beat);
  };
}
