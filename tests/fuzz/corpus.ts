/**
 * The corpus: inputs that once broke something, or that have a shape worth keeping. One file an entry.
 *
 * @module
 */
import { TARGETS } from "./targets.ts";
import type { Finding, Target } from "./target.ts";

const ROOT = new URL("corpus/", import.meta.url);

/** An input that is kept. */
export interface Entry {
  /** Its file below the corpus: "tree/echo.txt". */
  readonly file: string;
  /** What the file holds. */
  readonly text: string;
}

/** The entries of a target, in the order of their names. */
export function entriesOf(target: Target): Entry[] {
  const files = namesIn(new URL(`${target.name}/`, ROOT));
  return files.filter((name) => name.endsWith(`.${target.extension}`)).sort().map((name) => ({
    file: `${target.name}/${name}`,
    text: Deno.readTextFileSync(new URL(`${target.name}/${name}`, ROOT)),
  }));
}

/** Files of the corpus that no target reads: a folder's name or an ending is wrong. */
export function strays(): string[] {
  const read = new Set(TARGETS.flatMap((target) => entriesOf(target).map(({ file }) => file)));
  return namesIn(ROOT).flatMap((folder) =>
    namesIn(new URL(`${folder}/`, ROOT)).map((name) => `${folder}/${name}`)
  )
    .filter((file) => !read.has(file));
}

/** Keeps what was found, with what broke and how it was found; answers with its file. */
export function keep(target: Target, finding: Finding, seed: number): string {
  const folder = new URL(`${target.name}/`, ROOT);
  Deno.mkdirSync(folder, { recursive: true });
  const file = `${target.name}/found-${hash(finding.input)}.${target.extension}`;
  const message = finding.message.split("\n").slice(0, 12).map((line) => `# ${line.trimEnd()}\n`).join("");
  Deno.writeTextFileSync(new URL(file, ROOT), `# seed ${seed}\n${message}${finding.input}\n`);
  return file;
}

function namesIn(folder: URL): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** FNV-1a: the same finding has the same name. */
function hash(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
