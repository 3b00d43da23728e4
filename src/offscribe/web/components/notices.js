// @ts-check
/** @import { Notice } from "../state/notices.js" */
import { html, useApp, useTexts } from "./context.js";
import { Icon } from "./icon.js";

const BRIEF_MS = 6000;
let count = 0;

/**
 * Show a notice at the foot of the page. One with *undo* stays; one without passes by itself.
 *
 * @param {import("../main.js").App} app @param {string} key
 * @param {{ params?: Record<string, string>, undo?: () => void }} [what]
 */
export function notify(app, key, { params = {}, undo } = {}) {
  const id = ++count;
  app.notices.dispatch({ type: "shown", notice: { id, key, params, undo: undo ?? null } });
  if (!undo) app.scope.after(BRIEF_MS, () => app.notices.dispatch({ type: "closed", id }));
}

export function Notices() {
  const app = useApp();
  return html`<div class="notices" role="status">
    ${app.notices.value.map((notice) => html`<${NoticeNote} key=${notice.id} notice=${notice} />`)}
  </div>`;
}

/** @param {{ notice: Notice }} props */
function NoticeNote({ notice }) {
  const app = useApp();
  const { t } = useTexts();
  const close = () => app.notices.dispatch({ type: "closed", id: notice.id });
  const undo = () => {
    close();
    notice.undo?.();
  };
  return html`<div class="notice">
    <span class="notice-text" dir="auto">${t(notice.key, notice.params)}</span>
    ${notice.undo && html`<button class="button quiet" onClick=${undo}>${t("action.undo")}</button>`}
    <button class="button icon-only" aria-label=${t("action.dismiss")} onClick=${close}>
      <${Icon} name="close" />
    </button>
  </div>`;
}
