// @ts-check
/** @import { RecognizeOptions } from "../types.js" */
import { hasScripts } from "../state/speech.js";
import { html, useTexts } from "./context.js";

const SCRIPTS = ["auto", "simplified", "traditional", "keep"];

/**
 * @param {{ options: RecognizeOptions, languages: readonly string[],
 *   onChange: (options: RecognizeOptions) => void }} props
 */
export function OptionsForm({ options, languages, onChange }) {
  const { t } = useTexts();
  const change = (/** @type {Partial<RecognizeOptions>} */ part) => onChange({ ...options, ...part });
  const valueOf = (/** @type {any} */ event) => event.target.value;
  return html`
    <div class="field">
      <label for="language">${t("options.language")}</label>
      <select id="language" value=${options.language} onChange=${(/** @type {Event} */ event) => change({ language: valueOf(event) })}>
        ${languages.map((language) => html`<option key=${language} value=${language}>${t(`language.${language}`)}</option>`)}
      </select>
    </div>
    ${hasScripts(options.language) &&
    html`<div class="field">
      <label for="script">${t("options.script")}</label>
      <select id="script" value=${options.script} onChange=${(/** @type {Event} */ event) => change({ script: valueOf(event) })}>
        ${SCRIPTS.map((script) => html`<option key=${script} value=${script}>${t(`script.${script}`)}</option>`)}
      </select>
    </div>`}
    <div class="field switch-field">
      <label class="switch">
        <input
          type="checkbox"
          role="switch"
          checked=${options.itn}
          aria-describedby="itn-note"
          onChange=${(/** @type {any} */ event) => change({ itn: event.target.checked })}
        />
        <span>${t("options.itn")}</span>
      </label>
      <p class="field-note" id="itn-note">${t("options.itn.note")}</p>
    </div>
    <div class="field">
      <label for="hotwords">${t("options.hotwords")}</label>
      <textarea
        id="hotwords"
        rows="3"
        spellcheck="false"
        placeholder=${t("options.hotwords.example")}
        aria-describedby="hotwords-note"
        value=${options.hotwords}
        onInput=${(/** @type {Event} */ event) => change({ hotwords: valueOf(event) })}
      ></textarea>
      <p class="field-note" id="hotwords-note">${t("options.hotwords.note")}</p>
    </div>
  `;
}
