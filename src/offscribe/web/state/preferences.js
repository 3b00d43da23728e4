// @ts-check
import { LOCALES, pickLocale } from "./translate.js";

/**
 * What this browser remembers: the language and the theme, nothing else. Where the browser forbids
 * storage, the choice lasts as long as the page.
 *
 * @typedef {"auto" | "light" | "dark"} Theme
 */

/** @type {readonly Theme[]} */
export const THEMES = ["auto", "light", "dark"];

/** @param {() => Storage} storage @param {readonly string[]} wanted @returns {string} */
export function readLocale(storage, wanted) {
  const kept = read(storage, "offscribe.locale");
  return kept !== null && LOCALES.includes(kept) ? kept : pickLocale(wanted);
}

/** @param {() => Storage} storage @returns {Theme} */
export function readTheme(storage) {
  const kept = read(storage, "offscribe.theme");
  return THEMES.find((theme) => theme === kept) ?? "auto";
}

/** @param {() => Storage} storage @param {"locale" | "theme"} name @param {string} value */
export function keepPreference(storage, name, value) {
  try {
    storage().setItem(`offscribe.${name}`, value);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}

/** @param {() => Storage} storage @param {string} key @returns {string | null} */
function read(storage, key) {
  try {
    return storage().getItem(key);
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

/** @param {Theme} theme @param {boolean} prefersDark @returns {"light" | "dark"} */
export function effectiveTheme(theme, prefersDark) {
  if (theme !== "auto") return theme;
  return prefersDark ? "dark" : "light";
}
