/**
 * The cache of the self-extracting executable: places where it cannot be, and content that must not be executed.
 */

import assert from "node:assert/strict";
import { BLOCK } from "../../scripts/pack/archive.ts";
import {
  assertRan,
  cached,
  emptied,
  execute,
  exits0,
  isRoot,
  mayMount,
  onPath,
  packed,
  place,
  setUp,
  start,
  startMounted,
  tearDown,
  temporary,
} from "../support/packed.ts";

Deno.test.beforeAll(setUp);
Deno.test.afterAll(tearDown);

// Where the cache cannot be used.

Deno.test("packed: without HOME it runs from a private directory that is gone afterwards", async () => {
  const at = place();
  const env = { PATH: at.env.PATH ?? "", TMPDIR: at.tmp };
  const result = await execute(packed, ["where"], env);
  assert.match(result.stderr, /^ethox: HOME is not set; running from \S+, which is removed at exit\n$/);
  assert(result.stdout.startsWith(`${at.tmp}/ethox.`), result.stdout);
  await emptied(at.tmp);
  assert.equal((await execute(packed, ["exit", "3"], { ...env, HOME: "/nonexistent" })).code, 3);
  await emptied(at.tmp);
});

Deno.test("packed: the private directory is gone too after the program was killed", async () => {
  const at = place();
  const env = { PATH: at.env.PATH ?? "", TMPDIR: at.tmp };
  const child = new Deno.Command(packed, {
    args: ["pid"],
    env,
    clearEnv: true,
    stdout: "piped",
    stderr: "null",
  })
    .spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
  await emptied(at.tmp);
});

Deno.test("packed: a file in place of the cache directory is one line and no obstacle", async () => {
  const at = place();
  Deno.writeTextFileSync(`${at.cache}/ethox`, "");
  assertRan(await start(at, ["x"]), ["x"], /^ethox: cannot make the cache \S+; running from [^\n]*\n$/);
  await emptied(at.tmp);
});

Deno.test({ name: "packed: a read-only cache is one line and no obstacle", ignore: !mayMount }, async () => {
  const at = place();
  const readOnly =
    'mkdir -p "$CACHE/ethox"; mount --bind "$CACHE" "$CACHE"; mount -o remount,ro,bind "$CACHE"';
  const message = /^ethox: \S+ has no room for 96 MB, or is read-only; running from [^\n]*\n$/;
  assertRan(await startMounted(at, readOnly, ["x"]), ["x"], message);
  await emptied(at.tmp);
  // With everything in it, it may as well be read-only.
  assertRan(await start(at, ["x"]), ["x"]);
  assertRan(await startMounted(at, readOnly, ["x"]), ["x"]);
});

Deno.test({ name: "packed: a full cache is one line and no obstacle", ignore: !mayMount }, async () => {
  const at = place();
  const message = /^ethox: \S+ has no room for 96 MB, or is read-only; running from [^\n]*\n$/;
  const full = 'mount -t tmpfs -o size=20m,mode=700 none "$CACHE"';
  assertRan(await startMounted(at, full, ["x"]), ["x"], message);
  await emptied(at.tmp);
});

Deno.test(
  { name: "packed: a cache that is mounted noexec is one line and no obstacle", ignore: !mayMount },
  async () => {
    const at = place();
    const noexec = 'mount -t tmpfs -o noexec,mode=700 none "$CACHE"';
    assertRan(
      await startMounted(at, noexec, ["x"]),
      ["x"],
      /^ethox: \S+ is mounted noexec; running from [^\n]*\n$/,
    );
    await emptied(at.tmp);
  },
);

Deno.test({
  name: "packed: with no room anywhere it fails in one line that says what to do",
  ignore: !mayMount,
}, async () => {
  const at = place();
  const full = `for place in "$CACHE" "$TMPDIR" /var/tmp /dev/shm; do
    mount -t tmpfs -o size=1m,mode=700 none "$place"
  done`;
  const own = 'mount --bind "$(dirname "$0")" /mnt; mount -t tmpfs -o size=1m none /tmp; set -- "$@"';
  const run = [isRoot ? "-m" : "-Urm", "sh", "-ec", `${full}\n${own}\nexec "/mnt/pack ed"`, packed];
  const { code, stdout, stderr } = await execute("unshare", run, { ...at.env, CACHE: at.cache });
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(
    stderr,
    /^ethox: no place to unpack to: [^\n]*Set XDG_CACHE_HOME or TMPDIR to one that has\n$/,
  );
});

// Where the cache is not what it was.

const POISON = "#!/bin/sh\necho poisoned\n";

/** Replaces the content of a file, and nothing else that one can set: inode, size, owner, mode and mtime stay. */
async function poison(path: string, content: string): Promise<void> {
  const { size, mode } = Deno.statSync(path), before = `${temporary}/before`;
  assert(await exits0("touch", ["-r", path, before]));
  Deno.chmodSync(path, 0o700);
  Deno.writeTextFileSync(path, content);
  Deno.truncateSync(path, size);
  Deno.chmodSync(path, (mode ?? 0) & 0o777);
  assert(await exits0("touch", ["-r", before, path]));
}

Deno.test("packed: a poisoned runtime or bundle is replaced, not executed", async () => {
  const at = place();
  assertRan(await start(at, ["x"]), ["x"]);
  const replaced = /^ethox: \S+ is not what was unpacked there; it is replaced\n$/;
  await poison(cached(at, "ethox-"), POISON);
  assertRan(await start(at, ["x"]), ["x"], replaced);
  await poison(cached(at, "app-", ".js"), "console.log('poisoned');");
  assertRan(await start(at, ["x"]), ["x"], replaced);
  assertRan(await start(at, ["x"]), ["x"]);
});

Deno.test("packed: a symbolic link, a directory or a pipe in place of a cached file is replaced", async () => {
  const at = place();
  assertRan(await start(at, ["x"]), ["x"]);
  const runtime = cached(at, "ethox-"), bundle = cached(at, "app-", ".js"), stamp = cached(at, "app-", ".ok");
  const copy = `${at.tmp}/copy`;
  Deno.renameSync(runtime, copy);
  Deno.symlinkSync(copy, runtime);
  assertRan(await start(at, ["x"]), ["x"], /it is replaced\n$/);
  assert(Deno.lstatSync(runtime).isFile);
  assert(Deno.lstatSync(copy).isFile, "the target of the link is left alone");
  Deno.removeSync(bundle);
  Deno.mkdirSync(bundle);
  assertRan(await start(at, ["x"]), ["x"], /it is replaced\n$/);
  // Reading a pipe would hang.
  Deno.removeSync(stamp);
  assert(await exits0("mkfifo", [stamp]));
  assertRan(await start(at, ["x"]), ["x"]);
  assert(Deno.lstatSync(stamp).isFile);
});

Deno.test("packed: a cache directory that others may write to is emptied before use", async () => {
  const at = place();
  assertRan(await start(at, ["x"]), ["x"]);
  const runtime = cached(at, "ethox-");
  // Held open, its inode is not given to the file that replaces it.
  using before = Deno.openSync(runtime);
  Deno.writeTextFileSync(`${at.cache}/ethox/run/marker`, "");
  Deno.chmodSync(`${at.cache}/ethox`, 0o777);
  assertRan(await start(at, ["x"]), ["x"], /^ethox: \S+ could be written by others; it is emptied\n$/);
  assert.equal((Deno.statSync(`${at.cache}/ethox`).mode ?? 0) & 0o777, 0o700);
  assert.notEqual(Deno.statSync(runtime).ino, before.statSync().ino);
  assert.throws(() => Deno.statSync(`${at.cache}/ethox/run/marker`));
});

Deno.test("packed: a cache that others may swap, or that is a symbolic link, is left alone", async () => {
  const at = place();
  const notYours = /^ethox: \S+ is not yours alone [^\n]*; running from [^\n]*\n$/;
  Deno.chmodSync(at.cache, 0o777);
  assertRan(await start(at, ["x"]), ["x"], notYours);
  assert.deepEqual([...Deno.readDirSync(`${at.cache}/ethox`)], []);
  // In a sticky directory such as /tmp, others may write but not swap.
  await exits0("chmod", ["1777", at.cache]);
  assertRan(await start(at, ["x"]), ["x"]);
  Deno.renameSync(`${at.cache}/ethox`, `${at.cache}/other`);
  Deno.symlinkSync(`${at.cache}/other`, `${at.cache}/ethox`);
  assertRan(await start(at, ["x"]), ["x"], /^ethox: \S+ is a symbolic link; running from [^\n]*\n$/);
  await emptied(at.tmp);
});

Deno.test({ name: "packed: what belongs to somebody else is never executed", ignore: !isRoot }, async () => {
  const at = place(), nobody = 65_534;
  assertRan(await start(at, ["x"]), ["x"]);
  Deno.chownSync(cached(at, "ethox-"), nobody, nobody);
  assertRan(await start(at, ["x"]), ["x"], /^ethox: \S+ is not what was unpacked there; it is replaced\n$/);
  Deno.chownSync(`${at.cache}/ethox`, nobody, nobody);
  assertRan(await start(at, ["x"]), ["x"], /^ethox: \S+ is not yours alone [^\n]*; running from [^\n]*\n$/);
  await emptied(at.tmp);
});

Deno.test({ name: "packed: root leaves nothing in somebody else's home", ignore: !isRoot }, async () => {
  const at = place(), home = `${at.tmp}/home`;
  Deno.mkdirSync(home);
  Deno.chownSync(home, 65_534, 65_534);
  const env = { PATH: at.env.PATH ?? "", TMPDIR: at.cache, HOME: home };
  assertRan(
    await execute(packed, ["x"], env),
    ["x"],
    /^ethox: cannot make the cache \S+; running from [^\n]*\n$/,
  );
  assert.deepEqual([...Deno.readDirSync(home)], []);
  await emptied(at.cache);
});

Deno.test("packed: a damaged or truncated file is refused in one line, at its first start", async () => {
  const damaged = `${temporary}/out/damaged`;
  const { size } = Deno.statSync(packed);
  const cases = [
    { at: BLOCK + 100, message: /^ethox: \S+ is damaged: its bundle has the wrong digest; get it again\n$/ },
    { at: size - 100, message: /^ethox: \S+ is damaged: its runtime has the wrong digest; get it again\n$/ },
    { at: undefined, message: /^ethox: \S+ is damaged: its runtime has the wrong size; get it again\n$/ },
  ];
  for (const { at, message } of cases) {
    Deno.copyFileSync(packed, damaged);
    if (at === undefined) Deno.truncateSync(damaged, size - 1);
    else {
      using file = Deno.openSync(damaged, { read: true, write: true });
      const byte = new Uint8Array(1);
      file.seekSync(at, Deno.SeekMode.Start);
      file.readSync(byte);
      file.seekSync(at, Deno.SeekMode.Start);
      file.writeSync(byte.map((value) => value ^ 1));
    }
    const where = place();
    const { code, stdout, stderr } = await start(where, ["x"], damaged);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, message);
    assert([...Deno.readDirSync(`${where.cache}/ethox`)].every(({ name }) => !name.startsWith("new.")));
  }
  Deno.removeSync(damaged);
});

Deno.test("packed: without a tool for digests it says so and checks the size", async () => {
  const at = place(), tools = `${at.tmp}/tools`;
  Deno.mkdirSync(tools);
  for (const name of ["stat", "dd", "head", "mkdir", "mv", "rm", "chmod", "mktemp", "date"]) {
    Deno.symlinkSync(onPath(name) ?? "", `${tools}/${name}`);
  }
  const env = { ...at.env, PATH: tools };
  const message =
    /^(ethox: neither b2sum nor sha256sum is here: of the (runtime|bundle), only the size is checked\n){2}$/;
  assertRan(await execute(packed, ["x"], env), ["x"], message);
  assertRan(await execute(packed, ["x"], env), ["x"]);
});

Deno.test("packed: a first start that was killed long ago leaves nothing for long", async () => {
  const at = place();
  Deno.mkdirSync(`${at.cache}/ethox`, { mode: 0o700 });
  const tools = `${at.tmp}/tools`;
  Deno.mkdirSync(tools);
  // A clock that is two hours ahead stands for two hours of waiting.
  Deno.writeTextFileSync(`${tools}/date`, `#!/bin/sh\necho $(($(${onPath("date")} +%s) + 7200))\n`);
  Deno.chmodSync(`${tools}/date`, 0o755);
  const left = `${at.cache}/ethox/new.abcdefghij`;
  Deno.writeTextFileSync(left, "half");
  assertRan(await execute(packed, ["x"], { ...at.env, PATH: `${tools}:${at.env.PATH}` }), ["x"]);
  assert.throws(() => Deno.statSync(left));
});
