// @ts-check
/** @import { Translate } from "./translate.js" */

/** Languages in the order they are offered; the first is what is chosen at first. */
export const SPEECH_LANGUAGES = ["zh", "en", "ja", "ko", "yue", "auto"];

/** Languages whose text is written in Chinese characters of either script. */
const CHINESE = new Set(["zh", "yue", "auto"]);

/** @param {string} language */
export const hasScripts = (language) => CHINESE.has(language);

/**
 * The `lang` of a transcript, for speech synthesisers, fonts and line breaks.
 *
 * @param {string} language @param {string} [script] @returns {string | undefined} undefined: not known
 */
export function langOf(language, script) {
  if (language === "zh") return script === "traditional" ? "zh-Hant" : "zh-CN";
  if (language === "yue") return script === "traditional" ? "yue-Hant" : "yue-Hans";
  return language === "auto" ? undefined : language;
}

/**
 * @param {string} language a code a model gave, perhaps none of ours
 * @param {Translate} t @param {string} locale @returns {string}
 */
export function nameLanguage(language, t, locale) {
  if (language === "auto") return t("language.auto");
  try {
    return new Intl.DisplayNames(locale, { type: "language" }).of(language) ?? language;
  } catch (error) {
    if (error instanceof RangeError) return language;
    throw error;
  }
}
