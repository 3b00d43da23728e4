// @ts-check
/** @import { RecordSummary } from "../types.js" */
import { useEffect, useMemo, useRef } from "../lib/preact-hooks.js";
import { ApiError, isAbort } from "../api/client.js";
import { findRecords } from "../api/records.js";
import { NO_LISTING, hasMore, reduceListing } from "../state/listing.js";
import { Scope } from "../state/scope.js";
import { createStore } from "../state/store.js";
import { html, useApp, useScope, useTexts } from "../components/context.js";
import { deleteWithUndo } from "../components/deletion.js";
import { Icon } from "../components/icon.js";
import { Link } from "../components/link.js";
import { ProblemNote } from "../components/problem.js";
import { RecordRow } from "../components/record-row.js";

const TYPING_PAUSE_MS = 200;

/** Module 4, 识别历史: every record, and full-text search in them. @param {{ query: string }} props */
export function History({ query }) {
  const app = useApp();
  const { t } = useTexts();
  const listing = useMemo(() => createStore(reduceListing, NO_LISTING), []);
  const scope = useScope();
  const { returns } = app.connection.value;

  const read = async (/** @type {number} */ offset, /** @type {AbortSignal} */ signal) => {
    try {
      const found = await findRecords(app.client, { query, offset, signal });
      listing.dispatch({ type: "answered", query, offset, ...found });
    } catch (error) {
      if (isAbort(error)) return;
      if (!(error instanceof ApiError)) throw error;
      listing.dispatch({ type: "failed", query, problem: error.problem });
    }
  };
  useEffect(() => {
    const asking = new Scope();
    listing.dispatch({ type: "asked", query });
    void read(0, asking.signal);
    return () => asking.end();
  }, [query, returns]);

  const remove = async (/** @type {RecordSummary} */ record, /** @type {number} */ at) => {
    const again = () => void read(0, scope.signal);
    if (!(await deleteWithUndo(app, record, again))) return;
    listing.dispatch({ type: "removed", id: record.id });
    requestAnimationFrame(() => focusRow(at));
  };

  const { items, total, status, problem } = listing.value;
  return html`
    <div class="view-head">
      <h1 tabindex="-1">${t("history.title")}</h1>
      <p class="view-lead" role="status">${status === "ready" ? t(query === "" ? "history.count" : "history.found", { count: total }) : " "}</p>
    </div>
    <${SearchBox} query=${query} />
    ${problem && html`<${ProblemNote} problem=${problem} />`}
    ${status === "ready" && items.length === 0 && html`<${Nothing} query=${query} />`}
    ${items.length > 0 &&
    html`<ul class="records" aria-label=${t("history.title")} aria-busy=${status === "loading" ? "true" : "false"}>
      ${items.map((item, at) => html`<${RecordRow} key=${item.record.id} item=${item} query=${query} onDelete=${() => remove(item.record, at)} />`)}
    </ul>`}
    ${hasMore(listing.value) &&
    items.length > 0 &&
    html`<p class="more"><button class="button" onClick=${() => read(items.length, scope.signal)}>${t("history.more", { count: total - items.length })}</button></p>`}
  `;
}

/** Keeps the keyboard where it was after a row went: at the row that took its place, or the search.
 * @param {number} at */
function focusRow(at) {
  const links = document.querySelectorAll(".record-link");
  const next = links[Math.min(at, links.length - 1)] ?? document.getElementById("search");
  if (next instanceof HTMLElement) next.focus();
}

/** Searches while one types, but not in the middle of a composition. @param {{ query: string }} props */
function SearchBox({ query }) {
  const app = useApp();
  const { t } = useTexts();
  const scope = useScope();
  const callOff = useRef(() => {});
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const search = () => {
    callOff.current();
    app.refine({ view: "history", query: input.current?.value.trim() ?? "" });
  };
  const soon = (/** @type {InputEvent} */ event) => {
    callOff.current();
    if (!event.isComposing) callOff.current = scope.after(TYPING_PAUSE_MS, search);
  };
  useEffect(() => {
    const box = input.current;
    if (box !== null && box.value.trim() !== query) box.value = query;
  }, [query]);
  return html`<form
    class="search"
    role="search"
    onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      search();
    }}
  >
    <${Icon} name="search" />
    <label class="offscreen" for="search">${t("history.search")}</label>
    <input
      id="search"
      type="search"
      ref=${input}
      placeholder=${t("history.search")}
      autocomplete="off"
      onInput=${soon}
      onCompositionEnd=${soon}
    />
  </form>`;
}

/** @param {{ query: string }} props */
function Nothing({ query }) {
  const app = useApp();
  const { t } = useTexts();
  if (query === "") {
    return html`<div class="empty">
      <p class="empty-title">${t("history.empty")}</p>
      <p>${t("history.empty.note")}</p>
      <${Link} to=${{ view: "transcribe" }} class="button primary">${t("history.empty.action")}<//>
    </div>`;
  }
  return html`<div class="empty">
    <p class="empty-title">${t("history.none", { query })}</p>
    <p>${t("history.none.note")}</p>
    <button class="button" onClick=${() => app.refine({ view: "history", query: "" })}>${t("history.none.action")}</button>
  </div>`;
}
