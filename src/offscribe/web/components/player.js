// @ts-check
/** @import { Segment } from "../types.js" */
import { computed, signal } from "../lib/signals.js";
import { useMemo, useRef } from "../lib/preact-hooks.js";

/**
 * The audio element of a transcript and where it is, as signals: a long transcript is drawn again
 * when the next segment plays, not four times a second.
 *
 * @param {readonly Segment[]} segments
 */
export function usePlayer(segments) {
  const audio = useRef(/** @type {HTMLAudioElement | null} */ (null));
  return useMemo(() => {
    /** Seconds; null until something played or was sought. */
    const position = signal(/** @type {number | null} */ (null));
    return {
      audio,
      position,
      /** The index of the segment that plays, or -1. */
      playing: computed(() => playingAt(segments, position.value)),
      onTimeUpdate: () => (position.value = audio.current?.currentTime ?? null),
      /** @param {number} seconds @param {{ play: boolean }} how */
      async seek(seconds, { play }) {
        const element = audio.current;
        if (element === null) return;
        element.currentTime = seconds;
        if (!play) return;
        try {
          await element.play();
        } catch (error) {
          // The element shows by itself that it cannot play; a newer seek ends this one.
          if (!(error instanceof DOMException)) throw error;
        }
      },
    };
  }, [segments]);
}

/** @typedef {ReturnType<typeof usePlayer>} Player */

/** @param {readonly Segment[]} segments @param {number | null} position @returns {number} */
function playingAt(segments, position) {
  if (position === null) return -1;
  return segments.find(({ start, end }) => start <= position && position < end)?.index ?? -1;
}
