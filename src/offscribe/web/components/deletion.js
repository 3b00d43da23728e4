// @ts-check
/** @import { App } from "../main.js" */
/** @import { RecordSummary } from "../types.js" */
import { ApiError } from "../api/client.js";
import { deleteRecord, restoreRecord } from "../api/records.js";
import { notify } from "./notices.js";

/**
 * Delete *record* and offer to undo it, for as long as the notice stands.
 *
 * @param {App} app @param {RecordSummary} record @param {() => void} onRestored
 * @returns {Promise<boolean>} whether it was deleted
 */
export async function deleteWithUndo(app, record, onRestored) {
  const params = { name: record.name };
  const restore = async () => {
    if (await attempt(app, "record.not_restored", params, () => restoreRecord(app.client, record.id))) {
      notify(app, "record.restored", { params });
      onRestored();
    }
  };
  const deleted = await attempt(app, "record.not_deleted", params, () => deleteRecord(app.client, record.id));
  if (deleted) notify(app, "record.deleted", { params, undo: restore });
  return deleted;
}

/** @param {App} app @param {string} refusal @param {Record<string, string>} params
 * @param {() => Promise<unknown>} call @returns {Promise<boolean>} */
async function attempt(app, refusal, params, call) {
  try {
    await call();
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    notify(app, refusal, { params });
    return false;
  }
}
