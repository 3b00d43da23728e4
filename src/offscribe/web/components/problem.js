// @ts-check
/** @import { Problem } from "../types.js" */
import { explain } from "../state/problems.js";
import { html, useTexts } from "./context.js";
import { Icon } from "./icon.js";

/** What went wrong and what to do about it, read out once. @param {{ problem: Problem, children?: any }} props */
export function ProblemNote({ problem, children }) {
  const { t, catalogue } = useTexts();
  const { title, hint, detail } = explain(problem, t, catalogue);
  return html`<div class="problem" role="alert">
    <${Icon} name="warning" />
    <div class="problem-text">
      <p class="problem-title">${title}</p>
      ${hint && html`<p>${hint}</p>`}
      ${detail &&
      html`<details>
        <summary>${t("problem.detail")}</summary>
        <p class="problem-detail" lang="en" dir="auto">${detail}</p>
      </details>`}
    </div>
    ${children && html`<div class="problem-actions">${children}</div>`}
  </div>`;
}
