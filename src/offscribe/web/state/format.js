// @ts-check

/** @param {number} seconds @returns {string} `0:07`, `12:30`, `1:02:03` */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds + 1e-6));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = `${h > 0 ? String(m).padStart(2, "0") : m}:${String(s).padStart(2, "0")}`;
  return h > 0 ? `${h}:${tail}` : tail;
}

/** @param {number} seconds @returns {string} the value of `<time datetime>`, e.g. `PT62.5S` */
export const isoDuration = (seconds) => `PT${Math.round(seconds * 100) / 100}S`;

/** @param {number} sizeBytes @param {string} locale @returns {string} `3.4 MB` */
export function fileSize(sizeBytes, locale) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const power = Math.min(Math.floor(Math.log10(Math.max(sizeBytes, 1)) / 3), units.length - 1);
  return new Intl.NumberFormat(locale, {
    style: "unit",
    unit: units[power],
    unitDisplay: power === 0 ? "long" : "short",
    maximumSignificantDigits: 3,
  }).format(sizeBytes / 1000 ** power);
}

/** @param {string} iso @param {string} locale @returns {string} */
export function moment(iso, locale) {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(
    new Date(iso),
  );
}

/** @param {number} factor @param {string} locale @returns {string} `24.8×` */
export function speed(factor, locale) {
  const digits = factor < 10 ? 1 : 0;
  const format = new Intl.NumberFormat(locale, { maximumFractionDigits: digits });
  return `${format.format(factor)}×`;
}

/**
 * The piece of *text* around each occurrence of *query*, for marking: case and width are folded,
 * as the search folds them, where that does not change the number of characters.
 *
 * @param {string} text @param {string} query @returns {{ text: string, hit: boolean }[]}
 */
export function markHits(text, query) {
  const needle = fold(query.trim());
  if (needle === "") return [{ text, hit: false }];
  const haystack = fold(text);
  if (haystack.length !== text.length) return [{ text, hit: false }];
  const pieces = [];
  let from = 0;
  for (let at = haystack.indexOf(needle); at !== -1; at = haystack.indexOf(needle, from)) {
    pieces.push({ text: text.slice(from, at), hit: false });
    from = at + needle.length;
    pieces.push({ text: text.slice(at, from), hit: true });
  }
  pieces.push({ text: text.slice(from), hit: false });
  return pieces.filter((piece) => piece.text !== "");
}

/** @param {string} text */
const fold = (text) => text.normalize("NFKC").toLowerCase();
