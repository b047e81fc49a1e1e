import { overIpv6 } from "./drill/families.ts";
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

function drill(name: string, source: string, path: string): void {
  Deno.test(name, () => {
    runScript(parseScript(source, path), (config) => new StackHost(config));
  });
}

for (const path of scripts(ROOT, "")) {
  const source = Deno.readTextFileSync(new URL(path, ROOT));
  const name = `drill: ${path}: ${titleOf(source) ?? "a script without a title"}`;
  const v6 = overIpv6(source);
  drill(v6 === undefined ? name : `${name} [IPv4]`, source, path);
  if (v6 !== undefined) drill(`${name} [IPv6]`, v6, path);
}
