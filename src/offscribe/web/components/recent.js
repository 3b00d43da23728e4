// @ts-check
/** @import { SearchHit } from "../types.js" */
import { useEffect, useState } from "../lib/preact-hooks.js";
import { ApiError, isAbort } from "../api/client.js";
import { findRecords } from "../api/records.js";
import { Scope } from "../state/scope.js";
import { html, useApp, useTexts } from "./context.js";
import { Link } from "./link.js";
import { RecordRow } from "./record-row.js";

const MOST = 5;

/** The newest records below the workplace; before there is any, how to come to one. */
export function Recent() {
  const app = useApp();
  const { t } = useTexts();
  const [items, setItems] = useState(/** @type {SearchHit[] | null} */ (null));
  const tasks = app.tasks.value;
  const finished = tasks.filter((task) => task.phase === "done").length;
  const { returns } = app.connection.value;
  useEffect(() => {
    const scope = new Scope();
    findRecords(app.client, { query: "", limit: MOST, signal: scope.signal }).then(
      (found) => setItems(found.items),
      (error) => {
        // Only an extra here; the history page says why it cannot be read.
        if (!(error instanceof ApiError) && !isAbort(error)) throw error;
      },
    );
    return () => scope.end();
  }, [finished, returns]);
  if (items === null) return null;
  if (items.length === 0) return tasks.length > 0 ? null : html`<${Steps} />`;
  const onPage = new Set(tasks.map((task) => task.job?.record_id));
  const others = items.filter((item) => !onPage.has(item.record.id));
  if (others.length === 0) return null;
  return html`<section class="recent" aria-labelledby="recent-title">
    <div class="section-head">
      <h2 class="section-title" id="recent-title">${t("recent.title")}</h2>
      <${Link} to=${{ view: "history", query: "" }} class="text-link">${t("recent.all")}<//>
    </div>
    <ul class="records">
      ${others.map((item) => html`<${RecordRow} key=${item.record.id} item=${item} query="" />`)}
    </ul>
  </section>`;
}

function Steps() {
  const { t } = useTexts();
  return html`<ol class="steps" aria-label=${t("steps.title")}>
    ${["choose", "start", "take"].map(
      (step) => html`<li key=${step}><strong>${t(`steps.${step}`)}</strong><span>${t(`steps.${step}.note`)}</span></li>`,
    )}
  </ol>`;
}
