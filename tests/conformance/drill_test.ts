import { parseScript, titleOf } from "./drill/parser.ts";
import { runScript } from "./drill/runner.ts";
import { StackHost } from "./drill/stack-host.ts";

const ROOT = new URL("./scripts/", import.meta.url);

function* scripts(folder: URL, path: string): Generator<string> {
  const entries = [...Deno.readDirSync(folder)].sort((one, other) => one.name < other.name ? -1 : 1);
  for (const { name, isDirectory } of entries) {
    if (isDirectory) yield* scripts(new URL(`${name}/`, folder), `${path}${name}/`);
    else if (name.endsWith(".pkt")) yield `${path}${name}`;
  }
}

for (const path of scripts(ROOT, "")) {
  const source = Deno.readTextFileSync(new URL(path, ROOT));
  Deno.test(`drill: ${path}: ${titleOf(source) ?? "a script without a title"}`, () => {
    runScript(parseScript(source, path), (config) => new StackHost(config));
  });
}
