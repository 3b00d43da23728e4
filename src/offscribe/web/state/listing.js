// @ts-check
/** @import { Problem, SearchHit } from "../types.js" */

/**
 * The history list: all records or those that hold a query.
 *
 * @typedef {{ query: string, status: "loading" | "ready" | "failed", items: readonly SearchHit[],
 *   total: number, problem: Problem | null }} Listing
 *
 * @typedef {{ type: "asked", query: string }
 *   | { type: "answered", query: string, items: SearchHit[], total: number, offset: number }
 *   | { type: "failed", query: string, problem: Problem }
 *   | { type: "removed", id: string }} ListingEvent
 */

/** @type {Listing} */
export const NO_LISTING = { query: "", status: "loading", items: [], total: 0, problem: null };

/**
 * An answer to a question that is no longer asked changes nothing. The last answer stays while the
 * next one is awaited, so that the list does not flicker.
 *
 * @param {Listing} listing @param {ListingEvent} event @returns {Listing}
 */
export function reduceListing(listing, event) {
  switch (event.type) {
    case "asked":
      return { ...listing, query: event.query, status: "loading", problem: null };
    case "answered":
      if (event.query !== listing.query) return listing;
      return {
        ...listing,
        status: "ready",
        total: event.total,
        items: event.offset === 0 ? event.items : append(listing.items, event.items),
      };
    case "failed":
      if (event.query !== listing.query) return listing;
      return { ...listing, status: "failed", problem: event.problem };
    case "removed":
      return without(listing, event.id);
  }
}

/** @param {readonly SearchHit[]} items @param {SearchHit[]} more @returns {SearchHit[]} */
function append(items, more) {
  const known = new Set(items.map((item) => item.record.id));
  return [...items, ...more.filter((item) => !known.has(item.record.id))];
}

/** @param {Listing} listing @param {string} id @returns {Listing} */
function without(listing, id) {
  const items = listing.items.filter((item) => item.record.id !== id);
  if (items.length === listing.items.length) return listing;
  return { ...listing, items, total: listing.total - 1 };
}

/** @param {Listing} listing */
export const hasMore = (listing) => listing.items.length < listing.total;
