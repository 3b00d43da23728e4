// @ts-check
/** @import { Task } from "../state/tasks.js" */
/** @import { App } from "../main.js" */
import { useMemo } from "../lib/preact-hooks.js";
import { clock, speed } from "../state/format.js";
import { langOf } from "../state/speech.js";
import { fractionOf, isActive } from "../state/tasks.js";
import { html, useApp, useTexts } from "./context.js";
import { Icon } from "./icon.js";
import { Link } from "./link.js";
import { notify } from "./notices.js";
import { ProblemNote } from "./problem.js";
import { RecordResult } from "./record-result.js";
import { SegmentList } from "./transcript.js";

const PHASE_ICONS = {
  queued: "clock",
  uploading: "upload",
  waiting: "clock",
  paused: "clock",
  running: "transcribe",
  done: "done",
  failed: "warning",
  cancelled: "stop",
};

/** @param {App} app @param {Task} task */
export async function cancelTask(app, task) {
  const problem = await app.transcriber.cancel(task);
  if (problem) notify(app, "task.not_cancelled", { params: { name: task.name } });
}

/** One recording on its way, or arrived. @param {{ task: Task }} props */
export function TaskCard({ task }) {
  const app = useApp();
  const { t } = useTexts();
  const titleId = `task-${task.key}`;
  return html`<article class="task is-${task.phase}" aria-labelledby=${titleId}>
    <header class="task-head">
      <span class="task-state"><${Icon} name=${PHASE_ICONS[task.phase]} />${t(phaseKey(task))}</span>
      <h3 class="task-name" id=${titleId}><bdi>${task.name}</bdi></h3>
      <${TaskActions} task=${task} />
    </header>
    ${isActive(task) && html`<${Progress} task=${task} />`}
    ${task.phase === "failed" &&
    task.problem &&
    html`<${ProblemNote} problem=${task.problem}>
      ${task.canRetry &&
      html`<button class="button" onClick=${() => app.transcriber.retry(task)}><${Icon} name="retry" />${t("action.retry")}</button>`}
    <//>`}
    <${TaskText} task=${task} />
  </article>`;
}

/** @param {Task} task @returns {string} the stage where the server tells one, else the phase */
function phaseKey({ phase, job }) {
  const stages = ["decoding", "recognising", "finishing"];
  if (phase === "running" && job?.stage && stages.includes(job.stage)) return `stage.${job.stage}`;
  return `phase.${phase}`;
}

/** @param {{ task: Task }} props */
function TaskActions({ task }) {
  const app = useApp();
  const { t } = useTexts();
  const { transcriber } = app;
  if (isActive(task)) {
    return html`<div class="task-actions">
      <button class="button" aria-label=${t("task.cancel_this", { name: task.name })} onClick=${() => cancelTask(app, task)}>
        ${t("action.cancel")}<kbd aria-hidden="true">Esc</kbd>
      </button>
    </div>`;
  }
  const recordId = task.job?.record_id ?? null;
  return html`<div class="task-actions">
    ${task.phase === "cancelled" &&
    task.canRetry &&
    html`<button class="button" onClick=${() => transcriber.retry(task)}><${Icon} name="retry" />${t("action.retry")}</button>`}
    ${recordId &&
    html`<button
      class="button quiet"
      aria-expanded=${task.isOpen ? "true" : "false"}
      onClick=${() => app.tasks.dispatch({ type: "toggled", key: task.key })}
    >
      ${task.isOpen ? t("task.fold") : t("task.unfold")}
    </button>`}
    ${recordId &&
    html`<${Link} class="button quiet" to=${{ view: "record", id: recordId, query: "", segment: null }}>${t("task.open")}<//>`}
    <button class="button icon-only" aria-label=${t("task.dismiss", { name: task.name })} onClick=${() => transcriber.dismiss(task)}>
      <${Icon} name="close" />
    </button>
  </div>`;
}

/** @param {{ task: Task }} props */
function Progress({ task }) {
  const { t, locale } = useTexts();
  const fraction = fractionOf(task);
  const { job } = task;
  const parts = [];
  if (task.phase === "running" && job) {
    parts.push(
      job.duration === null
        ? t("progress.done", { done: clock(job.done) })
        : t("progress.of", { done: clock(job.done), total: clock(job.duration) }),
    );
    if (job.speed) parts.push(t("progress.speed", { speed: speed(job.speed, locale) }));
    if (job.eta !== null) parts.push(t("progress.left", { time: clock(Math.ceil(job.eta)) }));
  } else if (fraction !== null) {
    parts.push(t("progress.sent", { percent: Math.floor(fraction * 100) }));
  } else if (task.phase === "waiting") {
    parts.push(t("progress.waiting"));
  }
  return html`<div class="progress">
    <progress max="1" value=${fraction ?? undefined} aria-label=${t("progress.label", { name: task.name })}></progress>
    <p class="progress-facts">${parts.map((part) => html`<span key=${part}>${part}</span>`)}</p>
  </div>`;
}

/** The text as it comes, then the finished record. @param {{ task: Task }} props */
function TaskText({ task }) {
  const recordId = task.job?.record_id;
  if (recordId) {
    if (task.isOpen) return html`<${RecordResult} id=${recordId} />`;
    const first = task.segments.map((segment) => segment.itn_text).join(" ");
    return first === "" ? null : html`<p class="task-excerpt" dir="auto" lang=${langOf(task.job?.language ?? "auto")}>${first}</p>`;
  }
  if (task.segments.length === 0) return null;
  return html`<${LiveText} segments=${task.segments} lang=${langOf(task.job?.language ?? "auto")} />`;
}

/** What is recognised so far; drawn again only when there is more of it.
 * @param {{ segments: Task["segments"], lang: string | undefined }} props */
function LiveText({ segments, lang }) {
  return useMemo(
    () => html`<div class="sheet"><${SegmentList} segments=${segments} text="itn" lang=${lang} /></div>`,
    [segments, lang],
  );
}
