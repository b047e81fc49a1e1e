/**
 * The source tree as a graph of modules, for tests that hold the architecture.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

/** One import of a module. */
export interface Import {
  /** What is imported: a file from the root of the project, or a bare specifier as written. */
  readonly target: string;
  /** Whether only types are, so that nothing is left of it when the program runs. */
  readonly isTypeOnly: boolean;
}

/** One module of the project. */
export interface Module {
  /** Its file, from the root of the project. */
  readonly file: string;
  /** Its folder: "stack/eth", "nic", "" for the root. */
  readonly folder: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** All TypeScript modules in these folders, and those in the root of the project, in the order of their names. */
export function modules(...folders: readonly string[]): readonly Module[] {
  const roots = [...Deno.readDirSync(ROOT)].filter((entry) => entry.isFile).map((entry) => entry.name);
  const files = [...folders.flatMap(filesIn), ...roots].filter((file) => file.endsWith(".ts"));
  return files.sort().map((file) => {
    const text = Deno.readTextFileSync(new URL(file, ROOT));
    return { file, folder: file.split("/").slice(0, -1).join("/"), text, imports: importsOf(file, text) };
  });
}

function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory ? filesIn(path) : [path];
  });
}

const STATEMENT = /^(?:import|export)\s+(type\s+)?(?:[^;"']*?\bfrom\s+)?"([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"\s*\)/g;

function importsOf(file: string, source: string): Import[] {
  const text = blank(source, (part) => part.startsWith('"') ? part : "");
  const fromStatements = [...text.matchAll(STATEMENT)].map(([statement, type, target]) => ({
    target: resolve(file, target!),
    isTypeOnly: type !== undefined || isListOfTypes(statement),
  }));
  const dynamic = [...text.matchAll(DYNAMIC)].map(([, target]) => ({
    target: resolve(file, target!),
    isTypeOnly: false,
  }));
  return [...fromStatements, ...dynamic];
}

/** Whether an import names something, and each name with `type` before it. */
function isListOfTypes(statement: string): boolean {
  const list = /^import\s*\{([^}]*)\}/.exec(statement)?.[1];
  if (list === undefined) return false;
  const names = list.split(",").map((name) => name.trim()).filter((name) => name !== "");
  return names.length > 0 && names.every((name) => name.startsWith("type "));
}

function resolve(file: string, target: string): string {
  return target.startsWith(".") ? new URL(target, `file:///${file}`).pathname.slice(1) : target;
}

/** A module's code without its comments and the contents of its strings. */
export function codeOf(text: string): string {
  return blank(text, (part) => part.startsWith("/") ? "" : '""');
}

/** The text with each comment and string replaced. */
function blank(text: string, replacement: (part: string) => string): string {
  const parts = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`/g;
  return text.replaceAll(parts, replacement);
}
