// Checks the types of the page. The libraries in web/lib carry none, so the page is checked in a
// temporary copy whose lib holds their published declarations instead.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../..");
const work = mkdtempSync(join(tmpdir(), "offscribe-check-"));
try {
  const libraries = join(root, "src/offscribe/web/lib");
  cpSync(join(root, "src/offscribe/web"), join(work, "web"), {
    recursive: true,
    filter: (path) => path !== libraries,
  });
  cpSync(join(here, "types"), join(work, "web/lib"), { recursive: true });
  cpSync(join(here, "tsconfig.json"), join(work, "tsconfig.json"));
  cpSync(join(root, "package.json"), join(work, "package.json"));
  symlinkSync(join(root, "node_modules"), join(work, "node_modules"), "junction");
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const done = spawnSync(process.execPath, [tsc, "--project", work], { cwd: work, stdio: "inherit" });
  process.exitCode = done.status ?? 1;
} finally {
  rmSync(work, { recursive: true });
}
