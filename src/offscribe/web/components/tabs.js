// @ts-check
import { html } from "./context.js";

/**
 * A row of tabs after the ARIA pattern: arrow keys move, only the chosen one takes Tab.
 *
 * @param {{ label: string, idPrefix: string, chosen: string,
 *   options: { value: string, text: string }[], onChoose: (value: string) => void }} props
 */
export function Tabs({ label, idPrefix, chosen, options, onChoose }) {
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const steps = { ArrowRight: 1, ArrowLeft: -1 };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (step === undefined) return;
    event.preventDefault();
    const at = options.findIndex((option) => option.value === chosen);
    const next = options[(at + step + options.length) % options.length];
    if (next === undefined) return;
    onChoose(next.value);
    document.getElementById(`${idPrefix}-tab-${next.value}`)?.focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${onKeyDown}>
    ${options.map(
      ({ value, text }) =>
        html`<button
          role="tab"
          class="tab"
          id="${idPrefix}-tab-${value}"
          aria-selected=${value === chosen ? "true" : "false"}
          aria-controls="${idPrefix}-panel"
          tabindex=${value === chosen ? 0 : -1}
          onClick=${() => onChoose(value)}
        >
          ${text}
        </button>`,
    )}
  </div>`;
}
