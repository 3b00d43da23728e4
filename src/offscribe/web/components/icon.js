// @ts-check
import { html } from "./context.js";

/** Paths on a 24-unit grid, stroked. Drawn for this page. */
const PATHS = {
  mark: "M4 10.5v3M8 7.5v9M12 4v16M16 8.5v7M20 11v2",
  transcribe: "M4 10v4M8 7v10M12 4v16M16 8v8M20 11v2",
  history: "M4 12a8 8 0 1 0 2.6-5.9M4 4v4.5h4.5M12 8v4.2l3 1.8",
  upload: "M12 15.5V4.5M7.5 8.5 12 4l4.5 4.5M4.5 15v3a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2v-3",
  file: "M6 3.5h8l4 4v13H6zM14 3.5v4h4M9 13v3M12 11.5v6M15 13v3",
  close: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  copy: "M9 9h10.5v10.5H9zM15 9V4.5H4.5V15H9",
  download: "M12 4v11M7.5 11 12 15.5 16.5 11M5 20h14",
  trash: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 11v5M13.5 11v5",
  search: "M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13zM15.5 15.5 20 20",
  shield: "M12 3.5 5 6v5.5c0 4.3 2.9 7.4 7 9 4.1-1.6 7-4.7 7-9V6zM8.8 12l2.3 2.3 4.2-4.4",
  warning: "M12 4 2.8 19.5h18.4zM12 10v4.5M12 17v.2",
  done: "M5 12.5l4.5 4.5L19 7.5",
  stop: "M7 7h10v10H7z",
  retry: "M19.5 12a7.5 7.5 0 1 1-2.4-5.5M19.5 3.5V8H15",
  clock: "M12 20.5a8.5 8.5 0 1 1 0-17 8.5 8.5 0 0 1 0 17zM12 7.5V12l3 2",
  back: "M14.5 5.5 8 12l6.5 6.5",
  chevron: "M6.5 9.5 12 15l5.5-5.5",
  globe: "M12 20.5a8.5 8.5 0 1 1 0-17 8.5 8.5 0 0 1 0 17zM3.5 12h17M12 3.5c5 5 5 12 0 17M12 3.5c-5 5-5 12 0 17",
  theme: "M12 20.5a8.5 8.5 0 1 1 0-17zM12 3.5a8.5 8.5 0 0 1 0 17",
  plug: "M9 3.5V8M15 3.5V8M6.5 8h11v3.5a5.5 5.5 0 0 1-11 0zM12 17v3.5",
  code: "M8.5 7 3.5 12l5 5M15.5 7l5 5-5 5",
};

/** @typedef {keyof typeof PATHS} IconName */

/** A picture beside a word: nothing for a screen reader. @param {{ name: IconName }} props */
export function Icon({ name }) {
  return html`<svg class="icon icon-${name}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d=${PATHS[name]} />
  </svg>`;
}
