// @ts-check
/** @import { Transcript } from "../types.js" */
import { useEffect, useState } from "../lib/preact-hooks.js";
import { audioAddress, exportAddress } from "../api/records.js";
import { clock, moment } from "../state/format.js";
import { langOf, nameLanguage } from "../state/speech.js";
import { copyText } from "./copy.js";
import { html, useApp, useTexts } from "./context.js";
import { Icon } from "./icon.js";
import { notify } from "./notices.js";
import { usePlayer } from "./player.js";
import { Tabs } from "./tabs.js";
import { SegmentList } from "./transcript.js";

/** Shown in this order; what the server offers beyond these comes after. */
const FORMATS = ["txt", "srt", "vtt", "json", "csv", "md"];

/**
 * A finished transcript: both texts, its sound, copy and downloads.
 *
 * @param {{ record: Transcript, query?: string, focus?: number | null }} props
 */
export function Result({ record, query = "", focus = null }) {
  const { t } = useTexts();
  const [text, setText] = useState(/** @type {"raw" | "itn"} */ (firstText(record, query, focus)));
  const player = usePlayer(record.segments);
  const hit = record.segments.find((segment) => segment.index === focus);
  useEffect(() => {
    if (hit) void player.seek(hit.start, { play: false });
  }, [hit?.start]);
  const prefix = `result-${record.id}`;
  const options = [
    { value: "itn", text: t("result.itn") },
    { value: "raw", text: t("result.raw") },
  ];
  return html`<div class="result">
    <${Facts} record=${record} />
    ${record.warnings.map((warning) => html`<p class="warning" key=${warning}><${Icon} name="warning" /><span lang="en">${warning}</span></p>`)}
    ${record.has_audio &&
    html`<div class="player">
      <audio
        controls
        preload="metadata"
        ref=${player.audio}
        src=${audioAddress(record.id)}
        aria-label=${t("result.audio")}
        onTimeUpdate=${player.onTimeUpdate}
        onSeeked=${player.onTimeUpdate}
      ></audio>
    </div>`}
    <div class="toolbar">
      <${Tabs} label=${t("result.tabs")} idPrefix=${prefix} chosen=${text} options=${options} onChoose=${setText} />
      <${Takeaway} record=${record} text=${text} />
    </div>
    <div class="sheet" role="tabpanel" id="${prefix}-panel" aria-labelledby="${prefix}-tab-${text}">
      ${record.segments.length === 0
        ? html`<p class="empty-note">${t("result.silence")}</p>`
        : html`<${SegmentList}
            segments=${record.segments}
            text=${text}
            lang=${langOf(record.language, record.options.script)}
            query=${query}
            focus=${focus}
            player=${record.has_audio ? player : null}
          />`}
    </div>
  </div>`;
}

/** The text to open: the one that shows the hit, the normalised one where both do.
 * @param {Transcript} record @param {string} query @param {number | null} focus */
function firstText(record, query, focus) {
  const hit = record.segments.find((segment) => segment.index === focus);
  const isOnlyRaw = hit && !hit.itn_text.includes(query) && hit.text.includes(query);
  return isOnlyRaw ? "raw" : "itn";
}

/** @param {{ record: Transcript }} props */
function Facts({ record }) {
  const { t, locale } = useTexts();
  const hasWords = record.segments.some((segment) => segment.words?.length);
  return html`<ul class="facts" aria-label=${t("result.facts")}>
    <li><time datetime=${record.created_at}>${moment(record.created_at, locale)}</time></li>
    <li>${clock(record.duration)}</li>
    <li>${nameLanguage(record.language, t, locale)}</li>
    <li>${record.model}</li>
    <li>${t("result.segments", { count: record.segments.length })}</li>
    <li>${t(hasWords ? "result.times.word" : "result.times.segment")}</li>
  </ul>`;
}

/** @param {{ record: Transcript, text: "raw" | "itn" }} props */
function Takeaway({ record, text }) {
  const app = useApp();
  const { t } = useTexts();
  const formats = [...FORMATS, ...(app.system.value?.formats ?? [])];
  const copy = async () => {
    const copied = await copyText(text === "itn" ? record.itn_text : record.text);
    notify(app, copied ? "result.copied" : "result.not_copied");
  };
  return html`<div class="takeaway">
    <button class="button" onClick=${copy}><${Icon} name="copy" />${t("result.copy")}</button>
    <div class="downloads" role="group" aria-label=${t("result.download")}>
      <${Icon} name="download" />
      ${[...new Set(formats)].map(
        (format) =>
          html`<a
            class="download"
            key=${format}
            href=${exportAddress(record.id, { format, text })}
            download
            aria-label=${t("result.download_as", { format: format.toUpperCase() })}
            >${format.toUpperCase()}</a
          >`,
      )}
    </div>
  </div>`;
}
