/**
 * The one-file executable: how it is made, and that it behaves as if it had been started directly. What it does
 * with its cache is in packed_test.ts.
 */

import assert from "node:assert/strict";
import { firstOutsideReference, withoutLocalPaths } from "../../scripts/pack/bundle.ts";
import { findDenort, type Surroundings } from "../../scripts/pack/denort.ts";
import { BuildError } from "../../scripts/pack/run.ts";
import {
  assertRan,
  build,
  cached,
  COMPILE,
  emptied,
  execute,
  exits0,
  onPath,
  packed,
  place,
  report,
  setUp,
  start,
  tearDown,
  temporary,
} from "../support/packed.ts";

Deno.test.beforeAll(setUp);
Deno.test.afterAll(tearDown);

// How it is made.

function around(changes: Partial<Surroundings>): Surroundings {
  return {
    denortBin: undefined,
    denoDir: "/deno",
    isFile: () => Promise.resolve(false),
    answers: () => Promise.resolve(false),
    ...changes,
  };
}

const yes = (): Promise<boolean> => Promise.resolve(true);

Deno.test("compile: denort is taken from DENORT_BIN, then Deno's cache, then the download host", async () => {
  const archive = `release/v${Deno.version.deno}/denort-${Deno.build.target}.zip`;
  assert.deepEqual(await findDenort(around({ denortBin: "/d", isFile: yes, answers: yes })), {
    from: "DENORT_BIN",
    path: "/d",
  });
  assert.deepEqual(await findDenort(around({ isFile: yes, answers: yes })), {
    from: "cache",
    path: `/deno/dl/${archive}`,
  });
  assert.deepEqual(await findDenort(around({ answers: yes })), {
    from: "download",
    url: `https://dl.deno.land/${archive}`,
  });
  assert.equal(await findDenort(around({})), undefined);
});

Deno.test("compile: the download host is asked only when denort is nowhere else", async () => {
  const never = (): Promise<boolean> => Promise.reject(new Error("asked"));
  await findDenort(around({ isFile: yes, answers: never }));
  await assert.rejects(findDenort(around({ answers: never })), /asked/);
});

Deno.test("compile: a DENORT_BIN that names no file is an error, not a reason to look elsewhere", async () => {
  await assert.rejects(findDenort(around({ denortBin: "/nowhere", answers: yes })), BuildError);
});

Deno.test("compile: a bundle that needs a module or a file outside of it is refused", () => {
  const outside = [
    'import { a } from "npm:a";',
    "import 'https://example.org/a.js';",
    'export * from "./a.js";',
    'const a = await import("jsr:@a/b");',
    'new Worker(new URL("./worker.js", import.meta.url), { type: "module" });',
  ];
  for (const line of outside) {
    assert.equal(firstOutsideReference(`let x;\n  ${line}\n`.replace("  i", "i").replace("  e", "e")), line);
  }
  const inside = [
    'import fs from "node:fs";',
    'import "node:fs";',
    'await import("node:os");',
    ' * @see import("x")',
  ];
  assert.equal(firstOutsideReference(inside.join("\n")), undefined);
});

Deno.test("compile: a bundle does not tell where the packages were cached", () => {
  const cache = "../../home/someone/.cache/deno/npm/registry.npmjs.org";
  assert.equal(withoutLocalPaths(`// ${cache}/a/1.2.3/lib/b.js\nx`), "// npm:a@1.2.3/lib/b.js\nx");
  assert.equal(withoutLocalPaths(`// ${cache}/@a/b/1.2.3/c.js`), "// npm:@a/b@1.2.3/c.js");
  assert.equal(withoutLocalPaths("// apps/main.ts"), "// apps/main.ts");
});

Deno.test("compile: deno compile is chosen when DENORT_BIN names a runtime", async () => {
  const output = `${temporary}/out/compiled`;
  // Any ELF file will do as a runtime here; this one ignores the program that is put into it.
  const { code, stdout, stderr } = await build(["--output", output], { DENORT_BIN: onPath("true") ?? "" });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /deno compile, its denort from DENORT_BIN\nsha256 [0-9a-f]{64}\n$/);
  assert(await exits0(output, []));
});

Deno.test("compile: a failed build says why in one line, and leaves what was there before", async () => {
  const directory = `${temporary}/failed`, output = `${directory}/ethox`;
  await Deno.mkdir(directory);
  await Deno.writeTextFile(output, "the last good one");
  const cases = [
    [["--method", "deno"], { DENORT_BIN: "/nowhere" }, /DENORT_BIN names no file: \/nowhere/],
    [["--entry", `${temporary}/nothing.ts`], {}, /the entry point \S+nothing\.ts is no file/],
    [["--method", "zip"], {}, /--method zip: allowed are auto, deno, pack/],
    [["--frobnicate"], {}, /--frobnicate/],
  ] as const;
  for (const [args, env, message] of cases) {
    const { code, stdout, stderr } = await build(["--output", output, ...args], env);
    assert.deepEqual([code, stdout, stderr.trimEnd().split("\n").length], [1, "", 1], stderr);
    assert.match(stderr, message);
  }
  assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name), ["ethox"]);
  assert.equal(await Deno.readTextFile(output), "the last good one");
});

Deno.test("compile: an interrupted build leaves nothing behind", async () => {
  const directory = `${temporary}/interrupted`;
  await Deno.mkdir(directory);
  const args = ["run", "-A", COMPILE, "--entry", `${temporary}/program.ts`, "--output", `${directory}/ethox`];
  const child = new Deno.Command(Deno.execPath(), { args, stdout: "null", stderr: "piped" }).spawn();
  // The first thing that appears is its working directory.
  while ([...Deno.readDirSync(directory)].length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  child.kill("SIGTERM");
  const { code, stderr } = await child.output();
  assert.equal(new TextDecoder().decode(stderr), "compile: stopped by SIGTERM\n");
  assert.equal(code, 143);
  assert.deepEqual([...Deno.readDirSync(directory)], []);
});

Deno.test("compile: ethox itself runs as one file, with the permissions it gets there", async () => {
  const output = `${temporary}/out/ethox`, at = place();
  const args = ["run", "-A", COMPILE, "--method", "pack", "--output", output];
  const { code, stderr } = await execute(Deno.execPath(), args, Deno.env.toObject());
  assert.equal(code, 0, stderr);
  const help = await start(at, ["--help"], output);
  assert.match(help.stdout, /^Usage: ethox /);
  assert.deepEqual([help.code, help.stderr], [0, ""]);
  assert.equal((await start(at, ["nics"], output)).code, 0);
  const wrong = await start(at, ["--no-such-option"], output);
  assert.deepEqual(
    [wrong.code, wrong.stdout, wrong.stderr.trimEnd().split("\n").length],
    [2, "", 1],
    wrong.stderr,
  );
});

Deno.test("compile: the same sources give the same file, and the report tells its digest", async () => {
  const again = `${temporary}/out/again`;
  const { stdout } = await build(["--method", "pack", "--output", again]);
  const digest = (text: string): string | undefined => /^sha256 ([0-9a-f]{64})$/m.exec(text)?.[1];
  assert(digest(report) !== undefined);
  assert.equal(digest(stdout), digest(report));
  assert.match(report, /pack ed: \d+ bytes, self-extracting, with Deno 2\.9\.6\n/);
  await Deno.remove(again);
});

// What it does.

Deno.test("packed: arguments, exit status and standard input and output pass through untouched", async () => {
  const at = place();
  const words = ["a b", "", "--flag=1", "$HOME", "*", "two\nlines", "--", "-h'\""];
  assertRan(await start(at, words), words);
  assert.deepEqual(await start(at, ["exit", "42"]), { code: 42, stdout: "", stderr: "" });
  const input = "\0binary\n".repeat(100_000);
  assert.deepEqual(await execute(packed, ["cat"], at.env, input), { code: 0, stdout: input, stderr: "" });
  // A first start must leave the input alone too.
  assert.deepEqual(await execute(packed, ["cat"], place().env, input), {
    code: 0,
    stdout: input,
    stderr: "",
  });
});

Deno.test("packed: it becomes Deno, so that signals reach the program itself", async () => {
  const child = new Deno.Command(packed, { args: ["pid"], env: place().env, stdout: "piped" }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assert.equal(Number(new TextDecoder().decode(value)), child.pid);
  child.kill("SIGTERM");
  assert.equal((await child.status).signal, "SIGTERM");
  await reader.cancel();
});

Deno.test("packed: eight first starts at once all work and leave one clean cache", async () => {
  const at = place();
  const results = await Promise.all(Array.from({ length: 8 }, (_, n) => start(at, [`start ${n}`])));
  results.forEach((result, n) => assertRan(result, [`start ${n}`]));
  const names = [...Deno.readDirSync(`${at.cache}/ethox`)].map(({ name }) =>
    name.replace(/[0-9a-f]{64}/, "*")
  );
  assert.deepEqual(names.sort(), ["app-*.js", "app-*.ok", "ethox-*", "run"]);
  assert.deepEqual([...Deno.readDirSync(at.tmp)], []);
  assert.equal((Deno.statSync(`${at.cache}/ethox`).mode ?? 0) & 0o777, 0o700);
});

Deno.test("packed: a later start unpacks nothing, and is faster", async () => {
  const at = place();
  const timed = async (): Promise<number> => {
    const before = performance.now();
    assertRan(await start(at, []), []);
    return performance.now() - before;
  };
  const first = await timed();
  const { ino, mtime } = Deno.statSync(cached(at, "ethox-"));
  const later = [await timed(), await timed(), await timed(), await timed(), await timed()].sort((a, b) =>
    a - b
  );
  assert.deepEqual([Deno.statSync(cached(at, "ethox-")).ino, Deno.statSync(cached(at, "ethox-")).mtime], [
    ino,
    mtime,
  ]);
  console.log(
    `first start ${first.toFixed(0)} ms; later ${later[0]?.toFixed(0)}..${later[4]?.toFixed(0)} ms`,
  );
});

Deno.test("packed: it has only the permissions of the appliance", async () => {
  const { code, stderr } = await start(place(), ["listen"]);
  assert.equal(code, 1);
  assert.match(stderr, /NotCapable: Requires net access/);
});

Deno.test("packed: variables that steer Deno are not obeyed", async () => {
  const at = place(), elsewhere = `${at.tmp}/elsewhere`;
  const hostile = {
    DENO_DIR: elsewhere,
    DENO_V8_FLAGS: "--no-such-flag",
    DENO_AUDIT_PERMISSIONS: `${at.tmp}/audit`,
    NODE_OPTIONS: "--require /nowhere.js",
    OTEL_DENO: "true",
    MULTILINE: "a\nDENO_DIR=b",
  };
  assertRan(await execute(packed, ["x"], { ...at.env, ...hostile }), ["x"]);
  assert.deepEqual([...Deno.readDirSync(at.tmp)], []);
});

Deno.test("packed: what lies in the current directory is not obeyed", async () => {
  const at = place();
  for (const name of ["deno.json", "package.json", "deno.lock", ".npmrc", "tsconfig.json"]) {
    Deno.writeTextFileSync(`${at.tmp}/${name}`, "{ broken");
  }
  const args = ["-c", 'cd "$TMPDIR" && exec "$0" "$@"', packed, "x"];
  assertRan(await execute("sh", args, at.env), ["x"]);
});

for (const name of ["dash", "bash", "busybox"]) {
  const shell = onPath(name) ?? name;
  const rule = `packed: its header runs under ${name}, at a first and a later start`;
  Deno.test({ name: rule, ignore: onPath(name) === undefined }, async () => {
    const at = place(), env = { ...at.env }, tools = `${at.tmp}/tools`;
    if (name === "busybox") {
      // With its own tools and no others.
      Deno.mkdirSync(tools);
      assert(await exits0(shell, ["--install", "-s", tools]));
      env.PATH = tools;
    }
    const args = [...(name === "busybox" ? ["sh"] : []), packed, "x y"];
    assertRan(await execute(shell, args, env), ["x y"]);
    assertRan(await execute(shell, args, env), ["x y"]);
    delete env.XDG_CACHE_HOME;
    assertRan(await execute(shell, args, env), ["x y"], /^ethox: HOME is not set; running from [^\n]*\n$/);
    if (name === "busybox") Deno.removeSync(tools, { recursive: true });
    await emptied(at.tmp);
  });
}
