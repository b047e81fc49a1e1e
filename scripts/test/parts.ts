/**
 * The parts of the tests: which files belong to each, and what they may do.
 *
 * @module
 */
import { relative } from "node:path";
import { ROOT } from "../pack/run.ts";

/** A group of tests that one `deno test` runs. */
export interface Part {
  /** Its name, which is also a filter. */
  readonly name: string;
  /** What the report says of it. */
  readonly title: string;
  /** Options and permissions of `deno test`. */
  readonly options: readonly string[];
  /** Whether its tests are many and quick, so that a dot each is enough. */
  readonly dots: boolean;
  /** Whether what fails is tried once more: other processes and real clocks take part, and so does chance. */
  readonly triesTwice: boolean;
  /** How long it may take, in milliseconds: several times as long as where there is nothing else to do. */
  readonly limit: number;
  /** The files, relative to the repository. */
  readonly files: readonly string[];
}

/** The examples in these are run. */
const EXAMPLES = ["mod.ts", "stack"];

const MINUTE = 60_000;

/** Virtual time and no network: they read the sources, and may start this Deno to have something type-checked. */
const PURE = [
  "--allow-read",
  "--allow-env",
  `--allow-write=${Deno.env.get("TMPDIR") ?? "/tmp"}`,
  `--allow-run=${Deno.execPath()}`,
];

/**
 * What is measured is the code that the compiler ends with. It works in the main thread then, and so at the same place on
 * every machine, whatever else that has to do.
 */
const MEASURING = ["--expose-gc", "--no-concurrent-recompilation"];

/** All parts, each with those of its files that the filters leave; parts without any are left out. */
export function parts(filters: readonly string[]): Part[] {
  const files = [...testFiles(`${ROOT}/tests`)].map((path) => relative(ROOT, path)).sort();
  const chosen = files.filter((file) =>
    filters.length === 0 || filters.some((filter) => filter === kindOf(file) || matches(file, filter))
  );
  const of = (kind: Kind) => chosen.filter((file) => kindOf(file) === kind);
  const examples = filters.length === 0 || filters.includes("doc") ? EXAMPLES : [];
  const all: Part[] = [
    {
      name: "pure",
      title: "in memory, on virtual time",
      options: [...PURE, "--parallel"],
      dots: true,
      triesTwice: false,
      limit: 15 * MINUTE,
      files: of("pure"),
    },
    {
      name: "alone",
      title: "one at a time, because they measure",
      options: [...PURE, `--v8-flags=${MEASURING.join()}`],
      dots: false,
      triesTwice: false,
      limit: 8 * MINUTE,
      files: of("alone"),
    },
    {
      name: "doc",
      title: "examples in the documentation",
      options: [...PURE, "--doc", "--permit-no-files"],
      dots: true,
      triesTwice: false,
      limit: 5 * MINUTE,
      files: examples,
    },
    {
      name: "apps",
      title: "the programs",
      options: ["--allow-all"],
      dots: true,
      triesTwice: true,
      limit: 10 * MINUTE,
      files: of("apps"),
    },
    {
      name: "kernel",
      title: "against the Linux kernel, in network namespaces",
      options: ["--allow-all"],
      dots: false,
      triesTwice: true,
      limit: 18 * MINUTE,
      files: of("kernel"),
    },
  ];
  return all.filter((part) => part.files.length > 0);
}

type Kind = "pure" | "alone" | "apps" | "kernel";

function kindOf(file: string): Kind {
  if (file.startsWith("tests/kernel/")) return "kernel";
  if (file.startsWith("tests/apps/")) return "apps";
  // What measures time or the heap has the machine for itself.
  return file.startsWith("tests/bench/") || file.includes("allocation") ? "alone" : "pure";
}

/** `unit`, `kernel/ping`, `tests/unit/wire/arp_test.ts`: the beginning of a path, with or without tests/. */
function matches(file: string, filter: string): boolean {
  const wanted = filter.replace(/^\.\//, "").replace(/\/+$/, "");
  return file === wanted || file.startsWith(`${wanted}/`) || file.startsWith(`tests/${wanted}`);
}

function* testFiles(directory: string): Generator<string> {
  for (const entry of Deno.readDirSync(directory)) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory) yield* testFiles(path);
    else if (entry.name.endsWith("_test.ts")) yield path;
  }
}
