// @ts-check
/** @import { SearchHit } from "../types.js" */
import { clock, isoDuration, moment } from "../state/format.js";
import { langOf, nameLanguage } from "../state/speech.js";
import { html, useTexts } from "./context.js";
import { Icon } from "./icon.js";
import { Link } from "./link.js";
import { Marked } from "./marked.js";

/**
 * A record in a list: opens at the hit, where there is one.
 *
 * @param {{ item: SearchHit, query: string, onDelete?: () => void }} props
 */
export function RecordRow({ item, query, onDelete }) {
  const { t, locale } = useTexts();
  const { record, snippet, start, index } = item;
  return html`<li class="record-row">
    <div class="record-main">
      <${Link} class="record-link" to=${{ view: "record", id: record.id, query, segment: index }}>
        <bdi>${record.name}</bdi>
      <//>
      <p class="record-snippet" dir="auto" lang=${langOf(record.language)}>
        ${start !== null && html`<span class="time"><time datetime=${isoDuration(start)}>${clock(start)}</time></span> `}
        ${snippet.some((piece) => piece.text.trim() !== "")
          ? html`<${Marked} pieces=${snippet} />`
          : html`<span class="quiet-note" lang=${locale}>${t("record.no_text")}</span>`}
      </p>
    </div>
    <p class="record-facts">
      <time datetime=${record.created_at}>${moment(record.created_at, locale)}</time>
      <span>${clock(record.duration)}</span>
      <span>${nameLanguage(record.language, t, locale)}</span>
    </p>
    ${onDelete &&
    html`<button class="button icon-only record-delete" aria-label=${t("record.delete_this", { name: record.name })} onClick=${onDelete}>
      <${Icon} name="trash" />
    </button>`}
  </li>`;
}
