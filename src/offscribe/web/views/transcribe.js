// @ts-check
/** @import { RecognizeOptions } from "../types.js" */
import { useEffect, useRef, useState } from "../lib/preact-hooks.js";
import { ApiError, isAbort } from "../api/client.js";
import { readSample } from "../api/system.js";
import { isActive, nextToCancel } from "../state/tasks.js";
import { SPEECH_LANGUAGES } from "../state/speech.js";
import { html, useApp, useScope, useTexts } from "../components/context.js";
import { Announcer } from "../components/announcer.js";
import { DropZone } from "../components/dropzone.js";
import { Icon } from "../components/icon.js";
import { notify } from "../components/notices.js";
import { OptionsForm } from "../components/options.js";
import { ProblemNote } from "../components/problem.js";
import { Recent } from "../components/recent.js";
import { TaskCard, cancelTask } from "../components/task.js";

/** @type {RecognizeOptions} */
const FIRST_OPTIONS = { language: "zh", itn: true, hotwords: "", script: "auto" };

/** Module 1, 语音识别: from a recording to text. */
export function Transcribe() {
  const app = useApp();
  const { t } = useTexts();
  const [files, setFiles] = useState(/** @type {readonly File[]} */ ([]));
  const [options, setOptions] = useState(FIRST_OPTIONS);
  const [isUnfolded, setUnfolded] = useState(false);
  const tasks = app.tasks.value;
  const system = app.system.value;

  const start = (/** @type {readonly File[]} */ chosen, /** @type {RecognizeOptions} */ how) => {
    if (chosen.length === 0) return;
    app.transcriber.start(chosen, how);
    setFiles([]);
    setUnfolded(false);
  };
  useKeys({ onStart: () => start(files, options), onCancel: () => cancelNext(app) });
  useRecovery();
  // Once something runs, its text matters more than the next recording.
  const isFolded = tasks.length > 0 && files.length === 0 && !isUnfolded;
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (tasks.some(isActive)) list.current?.scrollIntoView({ block: "nearest" });
  }, [tasks[0]?.key]);

  return html`
    <div class="view-head">
      <h1 tabindex="-1">${t("transcribe.title")}</h1>
      <p class="view-lead">${t("transcribe.lead")}</p>
    </div>
    ${system && !system.model.installed && html`<${ProblemNote} problem=${missingModel(system)} />`}
    <section class="compose ${isFolded ? "is-folded" : ""}" aria-label=${t("transcribe.compose")}>
      <${DropZone}
        files=${files}
        onAdd=${(/** @type {File[]} */ more) => setFiles((known) => [...known, ...more])}
        onRemove=${(/** @type {File} */ file) => setFiles((known) => known.filter((other) => other !== file))}
      >
        <${Samples} names=${system?.samples ?? []} onSample=${(/** @type {File} */ file, /** @type {string} */ language) => start([file], { ...options, language })} />
      <//>
      ${tasks.length > 0 &&
      files.length === 0 &&
      html`<button
        type="button"
        class="button quiet fold"
        aria-expanded=${isFolded ? "false" : "true"}
        aria-controls="options"
        onClick=${() => setUnfolded(isFolded)}
      >
        ${t("options.title")} · ${t(`language.${options.language}`)}<${Icon} name="chevron" />
      </button>`}
      <form
        class="options"
        id="options"
        hidden=${isFolded}
        onSubmit=${(/** @type {Event} */ event) => {
          event.preventDefault();
          start(files, options);
        }}
      >
        <${OptionsForm} options=${options} languages=${offered(system?.languages)} onChange=${setOptions} />
        <button class="button primary start" disabled=${files.length === 0}>
          ${files.length > 1 ? t("transcribe.start_many", { count: files.length }) : t("transcribe.start")}
          <kbd aria-hidden="true">${isMac() ? "⌘" : "Ctrl"} ↵</kbd>
        </button>
      </form>
    </section>
    ${tasks.length > 0 &&
    html`<section class="tasks" ref=${list} aria-labelledby="tasks-title">
      <h2 class="section-title" id="tasks-title">${t("tasks.title")}</h2>
      ${tasks.map((task) => html`<${TaskCard} key=${task.key} task=${task} />`)}
    </section>`}
    <${Announcer} tasks=${tasks} />
    <${Recent} />
  `;
}

/** Ctrl/Cmd+Enter starts and Esc cancels, wherever the focus is; never while an input method is
 * composing. @param {{ onStart: () => void, onCancel: () => void }} actions */
function useKeys(actions) {
  const latest = useRef(actions);
  latest.current = actions;
  const scope = useScope();
  useEffect(() => {
    scope.listen(window, "keydown", (/** @type {KeyboardEvent} */ event) => {
      // 229: what some browsers report for the key that ends a composition
      if (event.defaultPrevented || event.isComposing || event.keyCode === 229) return;
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        latest.current.onStart();
      } else if (event.key === "Escape") {
        latest.current.onCancel();
      }
    });
  }, []);
}

/** Jobs from before a reload come back by themselves, also after the server was away. */
function useRecovery() {
  const { connection, transcriber } = useApp();
  const { returns } = connection.value;
  useEffect(() => {
    transcriber.recover().catch((error) => {
      // While the server is away the banner says so, and its return brings us here again.
      if (!(error instanceof ApiError) && !isAbort(error)) throw error;
    });
  }, [returns]);
}

/** @param {import("../main.js").App} app */
function cancelNext(app) {
  const task = nextToCancel(app.tasks.value);
  if (task) void cancelTask(app, task);
}

/** @param {{ names: readonly string[], onSample: (file: File, language: string) => void }} props */
function Samples({ names, onSample }) {
  const app = useApp();
  const { t } = useTexts();
  const scope = useScope();
  if (names.length === 0) return null;
  const run = async (/** @type {string} */ name) => {
    try {
      onSample(await readSample(app.client, name, scope.signal), name);
    } catch (error) {
      if (isAbort(error)) return;
      if (!(error instanceof ApiError)) throw error;
      notify(app, "sample.failed");
    }
  };
  return html`<p class="samples">
    <span>${t("sample.lead")}</span>
    ${names.map((name) => html`<button class="button quiet" type="button" key=${name} onClick=${() => run(name)}>${t(`sample.${name}`)}</button>`)}
  </p>`;
}

/** @param {readonly string[] | undefined} known @returns {string[]} */
function offered(known) {
  if (known === undefined) return SPEECH_LANGUAGES;
  return SPEECH_LANGUAGES.filter((language) => known.includes(language));
}

/** @param {import("../types.js").System} system @returns {import("../types.js").Problem} */
const missingModel = ({ model }) =>
  model.error ?? { code: "model_missing", message: `${model.title} is not installed.`, hint: "" };

const isMac = () => /Mac|iPhone|iPad/.test(navigator.userAgent);
