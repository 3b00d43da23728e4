// @ts-check

/**
 * Where the page is. *segment* and *query* of a record say which hit it was opened at.
 *
 * @typedef {{ view: "transcribe" }
 *   | { view: "history", query: string }
 *   | { view: "record", id: string, query: string, segment: number | null }
 *   | { view: "unknown" }} Route
 */

/** @param {string} address path and query, e.g. `/history?q=会议` @returns {Route} */
export function parseRoute(address) {
  const { pathname, searchParams } = new URL(address, "http://page");
  const query = searchParams.get("q") ?? "";
  if (pathname === "/") return { view: "transcribe" };
  if (pathname === "/history") return { view: "history", query };
  const record = /^\/records\/([^/]+)$/.exec(pathname);
  const id = record?.[1] === undefined ? null : decode(record[1]);
  if (id === null) return { view: "unknown" };
  return { view: "record", id, query, segment: index(searchParams.get("segment")) };
}

/** @param {Route} route @returns {string} */
export function addressOf(route) {
  if (route.view === "history") return `/history${search({ q: route.query })}`;
  if (route.view !== "record") return "/";
  const segment = route.segment === null ? "" : String(route.segment);
  return `/records/${encodeURIComponent(route.id)}${search({ q: route.query, segment })}`;
}

/** @param {string} part @returns {string | null} null for a broken escape such as `%E4%` */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

/** @param {string | null} text @returns {number | null} */
const index = (text) => (text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null);

/** @param {Record<string, string>} params @returns {string} */
function search(params) {
  const given = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== ""));
  const text = given.toString();
  return text === "" ? "" : `?${text}`;
}
