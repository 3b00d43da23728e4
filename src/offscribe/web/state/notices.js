// @ts-check

/**
 * A notice with an undo stays until it is used or dismissed: nobody has to be quick. *key* and
 * *params* name its text in the catalogue.
 *
 * @typedef {{ id: number, key: string, params: Record<string, string>, undo: (() => void) | null }} Notice
 *
 * @typedef {{ type: "shown", notice: Notice } | { type: "closed", id: number }} NoticeEvent
 */

const MOST = 4;

/** @type {readonly Notice[]} */
export const NO_NOTICES = [];

/** @param {readonly Notice[]} notices @param {NoticeEvent} event @returns {readonly Notice[]} */
export function reduceNotices(notices, event) {
  if (event.type === "closed") return notices.filter((notice) => notice.id !== event.id);
  return [...notices, event.notice].slice(-MOST);
}
