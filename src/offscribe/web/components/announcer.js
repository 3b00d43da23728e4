// @ts-check
/** @import { Task } from "../state/tasks.js" */
import { milestoneOf } from "../state/tasks.js";
import { html, useTexts } from "./context.js";

/**
 * Reads progress out: one line per task, which changes with its state and every ten percent. A
 * failure is not said here, as its own note is an alert.
 *
 * @param {{ tasks: readonly Task[] }} props
 */
export function Announcer({ tasks }) {
  const { t } = useTexts();
  return html`<div class="offscreen" role="status">
    ${tasks.map((task) => {
      const { phase, percent } = milestoneOf(task);
      if (phase === "failed" || phase === "queued") return null;
      const state = t(`phase.${phase}`);
      const params = { name: task.name, state, percent: percent ?? 0 };
      const text =
        percent === null || phase === "done" ? t("announce.state", params) : t("announce.percent", params);
      return html`<p key=${task.key}>${text}</p>`;
    })}
  </div>`;
}
