/**
 * What documents say of files: that they are there.
 *
 * @module
 */
import { deepEqual, ok } from "node:assert/strict";
import { DIFFERENCES } from "../support/twins/differences.ts";

const ROOT = new URL("../../", import.meta.url);
const DOCUMENTS = [
  "README.md",
  "LIMITS.md",
  "docs/architecture.md",
  "docs/performance.md",
  "docs/sharding.md",
  "docs/sockets.md",
  "docs/tcp-conformance.md",
  "docs/tcp.md",
  "nic/linux/README.md",
  "tests/conformance/drill/README.md",
];

/** The paths of all files below a folder, but for what is hidden or made. */
function* files(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, ROOT))) {
    if (name.startsWith(".") || name === "dist" || name === "node_modules") continue;
    if (isDirectory) yield* files(`${folder}${name}/`);
    else yield `${folder}${name}`;
  }
}

Deno.test("docs: a file that a document names is there, by its path or by the end of it", () => {
  const there = [...files("./")].map((path) => path.slice(1));
  ok(there.includes("/mod.ts") && there.includes("/docs/tcp.md"));
  const missing = DOCUMENTS.flatMap((document) => {
    const text = Deno.readTextFileSync(new URL(document, ROOT));
    const named = text.match(/[\w./-]*\w\.(?:ts|md|pkt|sh)\b(?![\w(])/g) ?? [];
    return [...new Set(named)].map((name) => name.replace(/^(\.{1,2}\/)+/, ""))
      .filter((name) => !there.some((path) => path.endsWith(`/${name}`))).map((name) =>
        `${document}: ${name}`
      );
  });
  deepEqual(missing, []);
});

Deno.test("docs: what sockets do otherwise than Deno's is in their table, and the tests that it names are there", () => {
  const text = Deno.readTextFileSync(new URL("docs/sockets.md", ROOT));
  deepEqual(Object.keys(DIFFERENCES).filter((script) => !text.includes(`"${script}"`)), []);
  const named = [...text.matchAll(/`(\w[\w/]*_test\.ts)`, "([^"]+)"/g)];
  ok(named.length > 5);
  const missing = named.filter(([, file, test]) =>
    !Deno.readTextFileSync(new URL(`tests/${file}`, ROOT)).includes(test!)
  );
  deepEqual(missing.map(([text]) => text), []);
});
