import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_LISTING, hasMore, reduceListing } from "../../src/offscribe/web/state/listing.js";

const after = (...events) => events.reduce(reduceListing, NO_LISTING);
const item = (id) => ({ record: { id }, snippet: [], start: null, index: null });
const answered = (query, ids, { total = ids.length, offset = 0 } = {}) => ({
  type: "answered",
  query,
  items: ids.map(item),
  total,
  offset,
});
const ids = (listing) => listing.items.map(({ record }) => record.id);

test("an answer that comes after a newer question is not shown", () => {
  const listing = after(
    { type: "asked", query: "会" },
    { type: "asked", query: "会议" },
    answered("会", ["old"]),
  );
  assert.equal(listing.status, "loading");
  assert.deepEqual(ids(listing), []);
});

test("a refusal of an old question is not shown either", () => {
  const problem = { code: "internal", message: "", hint: "" };
  const listing = after({ type: "asked", query: "b" }, { type: "failed", query: "a", problem });
  assert.equal(listing.problem, null);
});

test("the last answer stays while the next is awaited", () => {
  const listing = after({ type: "asked", query: "" }, answered("", ["a"]), { type: "asked", query: "b" });
  assert.deepEqual([listing.status, ids(listing)], ["loading", ["a"]]);
});

test("a further page is appended without repeating what moved onto it", () => {
  const listing = after(
    { type: "asked", query: "" },
    answered("", ["a", "b"], { total: 3 }),
    answered("", ["b", "c"], { total: 3, offset: 2 }),
  );
  assert.deepEqual(ids(listing), ["a", "b", "c"]);
  assert.equal(hasMore(listing), false);
});

test("removing a record lowers the total once", () => {
  const listed = after({ type: "asked", query: "" }, answered("", ["a", "b"], { total: 60 }));
  const removed = reduceListing(listed, { type: "removed", id: "a" });
  assert.deepEqual([ids(removed), removed.total], [["b"], 59]);
  assert.equal(reduceListing(removed, { type: "removed", id: "a" }), removed);
});
