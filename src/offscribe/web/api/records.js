// @ts-check
/** @import { RecordSummary, SearchHit, Transcript } from "../types.js" */
/** @import { Client } from "./client.js" */

export const PAGE_SIZE = 50;

/** @param {string} id */
const path = (id) => `/api/records/${encodeURIComponent(id)}`;

/**
 * Records, newest first, or the ones that hold *query*, as one shape.
 *
 * @param {Client} client
 * @param {{ query: string, offset?: number, limit?: number, signal?: AbortSignal }} what
 * @returns {Promise<{ items: SearchHit[], total: number }>}
 */
export async function findRecords(client, { query, offset = 0, limit = PAGE_SIZE, signal }) {
  const page = `limit=${limit}&offset=${offset}`;
  if (query !== "") {
    const found = await client.get(`/api/search?q=${encodeURIComponent(query)}&${page}`, signal);
    return { items: found.results, total: found.total };
  }
  const listed = await client.get(`/api/records?${page}`, signal);
  const items = listed.records.map((/** @type {RecordSummary} */ record) => ({
    record,
    snippet: [{ text: record.excerpt, hit: false }],
    start: null,
    index: null,
  }));
  return { items, total: listed.total };
}

/** @param {Client} client @param {string} id @param {AbortSignal} [signal] @returns {Promise<Transcript>} */
export const readRecord = (client, id, signal) => client.get(path(id), signal);

/** @param {Client} client @param {string} id */
export const deleteRecord = (client, id) => client.remove(path(id));

/** @param {Client} client @param {string} id @returns {Promise<RecordSummary>} */
export const restoreRecord = (client, id) => client.post(`${path(id)}/restore`);

/** @param {string} id */
export const audioAddress = (id) => `${path(id)}/audio`;

/** @param {string} id @param {{ format: string, text: "raw" | "itn" }} what */
export const exportAddress = (id, { format, text }) =>
  `${path(id)}/export?format=${format}&text=${text}`;
