// @ts-check
/** @import { Segment, Word } from "../types.js" */
/** @import { Player } from "./player.js" */
import { useEffect, useRef } from "../lib/preact-hooks.js";
import { clock, isoDuration, markHits } from "../state/format.js";
import { html, useTexts } from "./context.js";
import { Marked } from "./marked.js";

/**
 * Segments with their times. A time seeks where there is a *player*. The segment *focus* is
 * scrolled to once and marked as the hit that was looked for.
 *
 * @param {{ segments: readonly Segment[], text: "raw" | "itn", lang: string | undefined,
 *   query?: string, focus?: number | null, player?: Player | null }} props
 */
export function SegmentList({ segments, text, lang, query = "", focus = null, player = null }) {
  const playing = player?.playing.value ?? -1;
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
          isPlaying=${segment.index === playing}
          player=${player}
        />`,
    )}
  </ol>`;
}

/**
 * @param {{ segment: Segment, text: "raw" | "itn", lang: string | undefined, query: string,
 *   isHit: boolean, isPlaying: boolean, player: Player | null }} props
 */
function SegmentRow({ segment, text, lang, query, isHit, isPlaying, player }) {
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
    <${Time} start=${segment.start} player=${player} />
    <p class="segment-text" lang=${lang} dir="auto">
      ${words
        ? html`<${Words} words=${words} player=${player} />`
        : html`<${Marked} pieces=${markHits(shown, query)} />`}
    </p>
  </li>`;
}

/** @param {{ start: number, player: Player | null }} props */
function Time({ start, player }) {
  const { t } = useTexts();
  const time = html`<time datetime=${isoDuration(start)}>${clock(start)}</time>`;
  if (player === null) return html`<span class="time">${time}</span>`;
  return html`<button
    class="time"
    aria-label=${t("transcript.play", { time: clock(start) })}
    onClick=${() => player.seek(start, { play: true })}
  >
    ${time}
  </button>`;
}

/** The words of the segment that plays, the present one marked. @param {{ words: Word[], player: Player }} props */
function Words({ words, player }) {
  const position = player.position.value;
  const isNow = (/** @type {Word} */ { start, end }) =>
    position !== null && start <= position && position < end;
  return words.map(
    (word, at) => html`<span key=${at} class=${isNow(word) ? "word is-now" : "word"}>${word.text}</span>`,
  );
}
