// @ts-check
/** @import { Segment } from "../types.js" */
import { useRef, useState } from "../lib/preact-hooks.js";

/**
 * The audio element of a transcript and where it is. *position* is null until something played or
 * was sought.
 */
export function usePlayer() {
  const audio = useRef(/** @type {HTMLAudioElement | null} */ (null));
  const [position, setPosition] = useState(/** @type {number | null} */ (null));
  return {
    audio,
    position,
    onTimeUpdate: () => setPosition(audio.current?.currentTime ?? null),
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
}

/** @param {readonly Segment[]} segments @param {number | null} position @returns {number} its index, or -1 */
export function playingAt(segments, position) {
  if (position === null) return -1;
  return segments.find(({ start, end }) => start <= position && position < end)?.index ?? -1;
}
