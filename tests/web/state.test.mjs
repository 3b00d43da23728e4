import assert from "node:assert/strict";
import { test } from "node:test";
import { CONNECTED, reduceConnection } from "../../src/offscribe/web/state/connection.js";
import { clock, fileSize, isoDuration, markHits, speed } from "../../src/offscribe/web/state/format.js";
import { NO_NOTICES, reduceNotices } from "../../src/offscribe/web/state/notices.js";
import { effectiveTheme, keepPreference, readLocale, readTheme } from "../../src/offscribe/web/state/preferences.js";
import { addressOf, parseRoute } from "../../src/offscribe/web/state/route.js";
import { hasScripts, langOf, nameLanguage } from "../../src/offscribe/web/state/speech.js";

test("a clock shows hours only where there are some", () => {
  assert.deepEqual([0, 7.9, 60, 754, 3723].map(clock), ["0:00", "0:07", "1:00", "12:34", "1:02:03"]);
});

test("a time a hair under the second that is meant is not shown a second early", () => {
  assert.equal(clock(2.9999999), "0:03");
});

test("durations for machines", () => {
  assert.equal(isoDuration(62.504), "PT62.5S");
});

test("sizes keep three digits at most and never lose the unit", () => {
  assert.deepEqual([0, 999, 123_456, 5_000_000].map((size) => fileSize(size, "en")), [
    "0 bytes",
    "999 bytes",
    "123 kB",
    "5 MB",
  ]);
});

test("speed is exact where it matters", () => {
  assert.deepEqual([0.52, 24.8].map((factor) => speed(factor, "en")), ["0.5×", "25×"]);
});

const hits = (text, query) => markHits(text, query).filter((piece) => piece.hit).map((piece) => piece.text);

test("every occurrence is marked, in any case and width", () => {
  assert.deepEqual(hits("会议纪要：会议", "会议"), ["会议", "会议"]);
  assert.deepEqual(hits("Meeting, ｍｅｅｔ", "meet"), ["Meet", "ｍｅｅｔ"]);
});

test("marking loses no character", () => {
  const whole = (text, query) => markHits(text, query).map((piece) => piece.text).join("");
  for (const query of ["会议", "", "  ", "没有", "㎞"]) assert.equal(whole("会议 5㎞ 会议", query), "会议 5㎞ 会议");
});

test("text whose folding changes its length is left unmarked rather than marked wrongly", () => {
  assert.deepEqual(hits("5㎞ 会议", "会议"), []);
});

test("every address leads to its route and back", () => {
  const routes = [
    ["/", { view: "transcribe" }],
    ["/history", { view: "history", query: "" }],
    ["/history?q=%E4%BC%9A%E8%AE%AE", { view: "history", query: "会议" }],
    ["/records/a%2Fb", { view: "record", id: "a/b", query: "", segment: null }],
    ["/records/a?q=x+y&segment=3", { view: "record", id: "a", query: "x y", segment: 3 }],
  ];
  for (const [address, route] of routes) {
    assert.deepEqual(parseRoute(address), route);
    assert.equal(addressOf(route), address);
  }
});

test("an address that was tampered with is no route, and no crash", () => {
  assert.deepEqual(parseRoute("/records/%E4%"), { view: "unknown" });
  assert.deepEqual(parseRoute("/elsewhere"), { view: "unknown" });
  assert.equal(parseRoute("/records/a?segment=-1e9").segment, null);
});

test("a lost server that returns counts as one return", () => {
  const events = ["reached", "lost", "lost", "reached", "reached"];
  assert.deepEqual(events.reduce(reduceConnection, CONNECTED), { isReachable: true, returns: 1 });
});

test("an unchanged connection is the same value, so nothing is read again", () => {
  assert.equal(reduceConnection(CONNECTED, "reached"), CONNECTED);
});

test("notices pile up to four, the oldest goes", () => {
  const notice = (id) => ({ type: "shown", notice: { id, key: "result.copied", params: {}, undo: null } });
  const shown = [1, 2, 3, 4, 5].map(notice).reduce(reduceNotices, NO_NOTICES);
  assert.deepEqual(shown.map(({ id }) => id), [2, 3, 4, 5]);
  assert.deepEqual(reduceNotices(shown, { type: "closed", id: 3 }).map(({ id }) => id), [2, 4, 5]);
});

const holding = (values) => () => ({ getItem: (key) => values[key] ?? null, setItem() {} });
const forbidden = () => {
  throw new DOMException("denied", "SecurityError");
};

test("preferences fall back where storage is empty, odd or forbidden", () => {
  assert.equal(readLocale(holding({}), ["zh-TW", "en"]), "zh-CN");
  assert.equal(readLocale(holding({ "offscribe.locale": "xx" }), ["fr", "de"]), "en");
  assert.equal(readLocale(holding({ "offscribe.locale": "en" }), ["zh-CN"]), "en");
  assert.equal(readLocale(forbidden, ["zh"]), "zh-CN");
  assert.equal(readTheme(holding({ "offscribe.theme": "<b>" })), "auto");
  assert.equal(readTheme(forbidden), "auto");
  keepPreference(forbidden, "theme", "dark");
});

test("an automatic theme follows the system, a chosen one does not", () => {
  assert.deepEqual([effectiveTheme("auto", true), effectiveTheme("light", true)], ["dark", "light"]);
});

test("transcripts carry the language and script they are in", () => {
  assert.equal(langOf("zh"), "zh-CN");
  assert.equal(langOf("zh", "traditional"), "zh-Hant");
  assert.equal(langOf("yue"), "yue-Hans");
  assert.equal(langOf("ja"), "ja");
  assert.equal(langOf("auto"), undefined);
  assert.deepEqual(["zh", "yue", "auto", "en"].map(hasScripts), [true, true, true, false]);
});

test("a language that is none of ours still has a name", () => {
  const t = (key) => key;
  assert.equal(nameLanguage("fr", t, "en"), "French");
  assert.equal(nameLanguage("yue", t, "zh-CN"), "粤语");
  assert.equal(nameLanguage("auto", t, "en"), "language.auto");
  assert.equal(nameLanguage("not a tag", t, "en"), "not a tag");
});
