import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { explain } from "../../src/offscribe/web/state/problems.js";
import { LOCALES, pickLocale, translator } from "../../src/offscribe/web/state/translate.js";

const WEB = fileURLToPath(new URL("../../src/offscribe/web/", import.meta.url));
const read = (path) => readFileSync(join(WEB, path), "utf8");
const catalogues = Object.fromEntries(
  LOCALES.map((locale) => [locale, JSON.parse(read(`i18n/${locale}.json`))]),
);
const sources = ["views", "components", "state"]
  .flatMap((folder) => readdirSync(join(WEB, folder)).map((name) => join(folder, name)))
  .map((path) => [path, read(path)]);

const texts = (entry) => (typeof entry === "string" ? [entry] : Object.values(entry));
const parameters = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test("every catalogue has the same keys, in the same order", () => {
  assert.deepEqual(Object.keys(catalogues["zh-CN"]), Object.keys(catalogues.en));
});

test("a text takes the same parameters in every language and plural", () => {
  for (const [key, entry] of Object.entries(catalogues.en)) {
    const expected = parameters(texts(entry)[0]);
    for (const locale of LOCALES) {
      for (const text of texts(catalogues[locale][key])) {
        assert.deepEqual(parameters(text), expected, `${key} in ${locale}`);
      }
    }
  }
});

test("what depends on a number has every plural of its language", () => {
  for (const locale of LOCALES) {
    const categories = new Intl.PluralRules(locale).resolvedOptions().pluralCategories.sort();
    for (const [key, entry] of Object.entries(catalogues[locale])) {
      if (typeof entry === "string") continue;
      assert.deepEqual(Object.keys(entry).sort(), categories, `${key} in ${locale}`);
    }
  }
});

test("no text is empty", () => {
  for (const locale of LOCALES) {
    for (const [key, entry] of Object.entries(catalogues[locale])) {
      for (const text of texts(entry)) assert.notEqual(text.trim(), "", `${key} in ${locale}`);
    }
  }
});

/** Keys in code, `t("…")`, and the fixed beginnings of composed ones, t(`…${`. */
function keysInCode() {
  const whole = new Set();
  const beginnings = new Set();
  for (const [, source] of sources) {
    // Any quoted "a.b" that is a key may reach t() by way of a variable.
    for (const [, key] of source.matchAll(/["'`]([a-z]+(?:[._][a-z_]+)+)["'`]/g)) whole.add(key);
    for (const [, key] of source.matchAll(/\bt\(\s*"([^"]+)"/g)) whole.add(key);
    for (const [, start] of source.matchAll(/`([a-z]+(?:\.[a-z_]+)*\.)\$\{/g)) beginnings.add(start);
  }
  return { whole, beginnings };
}

test("every key that the code names is in the catalogue", () => {
  const missing = sources.flatMap(([path, source]) =>
    [...source.matchAll(/\b(?:t|notify)\((?:app,\s*)?\s*"([^"]+)"/g)]
      .map(([, key]) => key)
      .filter((key) => !(key in catalogues.en))
      .map((key) => `${key} in ${path}`),
  );
  assert.deepEqual(missing, []);
});

test("every text is used", () => {
  const { whole, beginnings } = keysInCode();
  const plain = (key) => whole.has(key) || key === "loading" || key === "locale.name";
  const composed = (key) => [...beginnings].some((start) => key.startsWith(start));
  const steps = (key) => /^steps\.\w+\.note$/.test(key);
  const idle = Object.keys(catalogues.en).filter((key) => !plain(key) && !composed(key) && !steps(key));
  assert.deepEqual(idle, []);
});

test("every error the server raises on purpose is translated", () => {
  const root = fileURLToPath(new URL("../../src/offscribe/", import.meta.url));
  const python = readdirSync(root, { recursive: true })
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".py") && !name.startsWith("cli/"));
  const codes = new Set(
    python.flatMap((name) =>
      [...readFileSync(join(root, name), "utf8").matchAll(/\bcode"?\s*[=:]\s*"([a-z_]+)"/g)].map(
        ([, code]) => code,
      ),
    ),
  );
  assert.ok(codes.has("audio_unreadable"), "the pattern no longer finds error codes");
  assert.deepEqual([...codes].filter((code) => !(`problem.${code}` in catalogues.en)).sort(), []);
});

test("plurals follow the language", () => {
  const t = translator({ n: { one: "{count} file", other: "{count} files" } }, "en");
  assert.deepEqual([t("n", { count: 0 }), t("n", { count: 1 }), t("n", { count: 1200 })], [
    "0 files",
    "1 file",
    "1,200 files",
  ]);
  assert.equal(translator({ n: { other: "{count} 个" } }, "zh-CN")("n", { count: 1 }), "1 个");
});

test("a missing text or parameter is a bug and says which", () => {
  const t = translator({ greet: "Hello {name}" }, "en");
  assert.throws(() => t("absent"), /absent/);
  assert.throws(() => t("greet"), /greet needs name/);
});

test("a value that looks like a parameter is not filled in again", () => {
  assert.equal(translator({ greet: "Hello {name}" }, "en")("greet", { name: "{count}" }), "Hello {count}");
});

test("the reader's first language that there is a catalogue for is chosen", () => {
  assert.equal(pickLocale(["fr-FR", "zh-Hant-TW", "en"]), "zh-CN");
  assert.equal(pickLocale(["en-GB", "zh"]), "en");
  assert.equal(pickLocale([]), "en");
});

const explained = (problem, locale) =>
  explain(problem, translator(catalogues[locale], locale), catalogues[locale]);

test("a known problem is told in the reader's language, the server's words as detail", () => {
  const problem = { code: "audio_empty", message: "a.wav has no samples", hint: "English hint" };
  assert.deepEqual(explained(problem, "zh-CN"), {
    title: "录音是空的",
    hint: "里面没有声音，请检查文件是否保存完整。",
    detail: "a.wav has no samples",
  });
});

test("an unknown problem is told in the server's words", () => {
  const problem = { code: "brand_new", message: "Odd.", hint: "Do this.", request_id: "7f" };
  assert.deepEqual(explained(problem, "en"), {
    title: "Odd.",
    hint: "Do this.",
    detail: "Request 7f, also in the log",
  });
});
