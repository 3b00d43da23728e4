// @ts-check
/** @import { System } from "../types.js" */
/** @import { Client } from "./client.js" */

/** @param {Client} client @param {AbortSignal} [signal] @returns {Promise<System>} */
export const readSystem = (client, signal) => client.get("/api/system", signal);

/**
 * A short recording that comes with the program.
 *
 * @param {Client} client @param {string} name @param {AbortSignal} [signal] @returns {Promise<File>}
 */
export async function readSample(client, name, signal) {
  const sound = await client.blob(`/api/sample/${encodeURIComponent(name)}`, signal);
  return new File([sound], `sample-${name}.flac`, { type: "audio/flac" });
}
