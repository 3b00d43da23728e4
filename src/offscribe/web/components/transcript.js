// @ts-check
/** @import { Segment, Word } from "../types.js" */
import { useEffect, useRef } from "../lib/preact-hooks.js";
import { clock, isoDuration, markHits } from "../state/format.js";
import { html, useTexts } from "./context.js";
import { Marked } from "./marked.js";

/**
 * Segments with their times. A time seeks where there is sound to seek in (*onSeek*). The segment
 * *focus* is scrolled to once and marked as the hit that was looked for.
 *
 * @param {{ segments: readonly Segment[], text: "raw" | "itn", lang: string | undefined,
 *   query?: string, focus?: number | null, playing?: number, position?: number | null,
 *   onSeek?: (seconds: number) => void }} props
 */
export function SegmentList({ segments, text, lang, query = "", focus = null, ...play }) {
  return html`<ol class="segments">
    ${segments.map(
      (segment) =>
        html`<${SegmentRow}
          key=${segment.index}
          segment=${segment}
          text=${text}
          lang=${lang}
          query=${query}
          isHit=${segment.index === focus}
          isPlaying=${segment.index === play.playing}
          position=${segment.index === play.playing ? play.position : null}
          onSeek=${play.onSeek}
        />`,
    )}
  </ol>`;
}

/**
 * @param {{ segment: Segment, text: "raw" | "itn", lang: string | undefined, query: string,
 *   isHit: boolean, isPlaying: boolean, position: number | null,
 *   onSeek?: (seconds: number) => void }} props
 */
function SegmentRow({ segment, text, lang, query, isHit, isPlaying, position, onSeek }) {
  const row = useRef(/** @type {HTMLLIElement | null} */ (null));
  useEffect(() => {
    if (isHit) row.current?.scrollIntoView({ block: "center" });
  }, [isHit]);
  const words = text === "raw" && isPlaying ? segment.words : null;
  const shown = text === "itn" ? segment.itn_text : segment.text;
  return html`<li
    ref=${row}
    class="segment ${isHit ? "is-hit" : ""} ${isPlaying ? "is-playing" : ""}"
    aria-current=${isHit ? "true" : undefined}
  >
    <${Time} start=${segment.start} onSeek=${onSeek} />
    <p class="segment-text" lang=${lang} dir="auto">
      ${words
        ? html`<${Words} words=${words} position=${position} />`
        : html`<${Marked} pieces=${markHits(shown, query)} />`}
    </p>
  </li>`;
}

/** @param {{ start: number, onSeek?: (seconds: number) => void }} props */
function Time({ start, onSeek }) {
  const { t } = useTexts();
  const time = html`<time datetime=${isoDuration(start)}>${clock(start)}</time>`;
  if (!onSeek) return html`<span class="time">${time}</span>`;
  return html`<button
    class="time"
    aria-label=${t("transcript.play", { time: clock(start) })}
    onClick=${() => onSeek(start)}
  >
    ${time}
  </button>`;
}

/** The words of the segment that plays, the present one marked. @param {{ words: Word[], position: number | null }} props */
function Words({ words, position }) {
  const isNow = (/** @type {Word} */ { start, end }) =>
    position !== null && start <= position && position < end;
  return words.map((word) => html`<span class=${isNow(word) ? "word is-now" : "word"}>${word.text}</span>`);
}
