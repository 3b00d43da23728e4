// @ts-check
import { html } from "./context.js";

/** Text with its hits marked. @param {{ pieces: { text: string, hit: boolean }[] }} props */
export function Marked({ pieces }) {
  return pieces.map(({ text, hit }) => (hit ? html`<mark>${text}</mark>` : text));
}
