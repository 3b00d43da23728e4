// @ts-check

/**
 * Texts by key. A text holds `{name}` for each parameter; one that depends on a number is an object
 * by plural category (`Intl.PluralRules`) and takes that number as `count`.
 *
 * @typedef {Record<string, string | Record<string, string>>} Catalogue
 * @typedef {(key: string, params?: Record<string, string | number>) => string} Translate
 */

export const LOCALES = ["zh-CN", "en"];

/** @param {Catalogue} catalogue @param {string} locale @returns {Translate} */
export function translator(catalogue, locale) {
  const plurals = new Intl.PluralRules(locale);
  const numbers = new Intl.NumberFormat(locale);
  return (key, params = {}) => {
    const entry = catalogue[key];
    if (entry === undefined) throw new Error(`no text for ${key} in ${locale}`);
    const text =
      typeof entry === "string" ? entry : (entry[plurals.select(Number(params.count))] ?? entry.other);
    if (text === undefined) throw new Error(`no plural of ${key} in ${locale}`);
    return text.replace(/\{(\w+)\}/g, (_, name) => {
      const value = params[name];
      if (value === undefined) throw new Error(`${key} needs ${name}`);
      return typeof value === "number" ? numbers.format(value) : value;
    });
  };
}

/**
 * The catalogue for a reader: the first of *wanted* (as `navigator.languages`) that there is one
 * for, by language alone where the region differs. English for everybody else.
 *
 * @param {readonly string[]} wanted @returns {string}
 */
export function pickLocale(wanted) {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split("-")[0];
    const found = LOCALES.find((locale) => locale.toLowerCase().split("-")[0] === language);
    if (found !== undefined) return found;
  }
  return "en";
}
