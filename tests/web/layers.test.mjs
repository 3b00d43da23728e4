import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const WEB = fileURLToPath(new URL("../../src/offscribe/web/", import.meta.url));
/** A folder may import from itself and from those after it. */
const LAYERS = ["views", "components", "state", "api", "lib"];

const modules = readdirSync(WEB, { recursive: true })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".js") && !path.startsWith("lib/"));

/** @returns {[string, string][]} importer and imported, as paths below web/; types do not count */
const imports = modules.flatMap((path) => {
  const code = readFileSync(join(WEB, path), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
  return [...code.matchAll(/^\s*import\s[^;]*?["']([^"']+)["'];/gm)].map(([, target]) => [
    path,
    target.startsWith(".") ? relative(WEB, resolve(WEB, dirname(path), target)).replaceAll("\\", "/") : target,
  ]);
});
const layerOf = (path) => LAYERS.indexOf(path.split("/")[0]);

test("imports point down: views, components, state, api, lib", () => {
  assert.ok(imports.length > 50, "the pattern no longer finds imports");
  const wrong = imports.filter(([from, to]) => from !== "main.js" && layerOf(to) < layerOf(from));
  assert.deepEqual(wrong, []);
});

test("nothing is imported that a browser could not resolve by itself", () => {
  const bare = imports.filter(([, to]) => layerOf(to) === -1);
  assert.deepEqual(bare, []);
});

test("nothing on the page turns text into markup", () => {
  const danger = /innerHTML|outerHTML|insertAdjacentHTML|dangerouslySet|document\.write|\beval\b/;
  const found = modules.filter((path) => danger.test(readFileSync(join(WEB, path), "utf8")));
  assert.deepEqual(found, []);
});

test("no page or style names another host", () => {
  const own = readdirSync(WEB, { recursive: true })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => /\.(js|css|html|json|svg)$/.test(path) && !path.startsWith("lib/"));
  const allowed = /http:\/\/(www\.w3\.org\/2000\/svg|page\b)/g; // a namespace; a base that is never fetched
  const found = own.filter((path) => /https?:\/\//.test(readFileSync(join(WEB, path), "utf8").replace(allowed, "")));
  assert.deepEqual(found, []);
});
