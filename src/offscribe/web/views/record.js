// @ts-check
import { useEffect } from "../lib/preact-hooks.js";
import { html, useApp, useTexts } from "../components/context.js";
import { deleteWithUndo } from "../components/deletion.js";
import { Icon } from "../components/icon.js";
import { Link } from "../components/link.js";
import { ProblemNote } from "../components/problem.js";
import { useRecord } from "../components/record-result.js";
import { Result } from "../components/result.js";

/** One record, opened at the hit it was found by.
 * @param {{ id: string, query: string, segment: number | null }} props */
export function Record({ id, query, segment }) {
  const app = useApp();
  const { t } = useTexts();
  const { record, problem } = useRecord(id);
  useEffect(() => {
    if (record !== null) document.title = `${record.name} · Offscribe`;
  }, [record?.name]);
  const remove = async () => {
    if (record === null) return;
    const reopen = () => app.go({ view: "record", id, query: "", segment: null });
    if (await deleteWithUndo(app, record, reopen)) app.go({ view: "history", query });
  };
  return html`
    <div class="view-head">
      <${Link} to=${{ view: "history", query }} class="text-link back"><${Icon} name="back" />${t(query === "" ? "record.back" : "record.back_to_search")}<//>
      <div class="title-row">
        <h1 tabindex="-1"><bdi>${record?.name ?? t("title.record")}</bdi></h1>
        ${record && html`<button class="button" onClick=${remove}><${Icon} name="trash" />${t("action.delete")}</button>`}
      </div>
    </div>
    ${problem && html`<${ProblemNote} problem=${problem} />`}
    ${record === null && problem === null && html`<p class="quiet-note" role="status">${t("loading")}</p>`}
    ${record && html`<${Result} record=${record} query=${query} focus=${segment} />`}
  `;
}
