/**
 * The arrows of docs/architecture.md, and the limits of docs and style that a program can hold.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import deno from "../../deno.json" with { type: "json" };
import { codeOf, type Module, modules } from "../support/imports.ts";

const ALL: readonly Module[] = modules("stack", "nic", "sockets", "apps", "scripts");

const within = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** The modules in a folder and its subfolders. */
const inside = (folder: string) => ALL.filter((module) => within(module.folder, folder));

/** "file -> target" for each import of these modules that is not allowed. */
function forbidden(
  from: readonly Module[],
  isAllowed: (target: string, module: Module) => boolean,
): string[] {
  return from.flatMap((module) =>
    module.imports.filter(({ target }) => !isAllowed(target, module)).map(({ target }) =>
      `${module.file} -> ${target}`
    )
  );
}

const isBare = (target: string): boolean => !target.endsWith(".ts") && !target.endsWith(".json");

Deno.test("layering: the scan sees the tree, so that the rules below are about something", () => {
  ok(inside("stack").length > 50 && inside("nic").length > 10);
  const path = ALL.find(({ file }) => file === "stack/ip/path.ts");
  ok(path?.imports.some(({ target, isTypeOnly }) => target === "stack/ip/endpoint.ts" && isTypeOnly));
  ok(path?.imports.some(({ target, isTypeOnly }) => target === "stack/wire/mac.ts" && !isTypeOnly));
});

Deno.test("layering: the stack imports nothing but itself", () => {
  deepEqual(forbidden(inside("stack"), (target) => within(target, "stack")), []);
});

Deno.test("layering: the stack knows no Deno, no clock, no timer, no chance and no console", () => {
  const outside =
    /\b(Deno|Date|performance|setTimeout|setInterval|queueMicrotask|fetch|console|crypto|process)\b|Math\.random|globalThis/;
  const found = inside("stack").flatMap(({ file, text }) => {
    const name = outside.exec(codeOf(text))?.[0];
    return name === undefined ? [] : [`${file}: ${name}`];
  });
  deepEqual(found, []);
});

// What each folder of the stack may import besides itself. A layer knows those below it, never those above.
const COMMON = ["stack", "stack/wire", "stack/store", "stack/loss"];
const STACK: Record<string, readonly string[]> = {
  "stack/wire": [],
  "stack/store": [],
  "stack": ["stack/wire", "stack/store", "stack/loss"],
  "stack/loss": COMMON,
  "stack/host": COMMON,
  "stack/eth": COMMON,
  "stack/ptp": COMMON,
  "stack/arp": [...COMMON, "stack/host"],
  "stack/ip": [...COMMON, "stack/host", "stack/arp"],
  "stack/icmp": [...COMMON, "stack/host", "stack/ip"],
  "stack/multicast": [...COMMON, "stack/host", "stack/ip"],
  "stack/ndp": [...COMMON, "stack/host", "stack/arp", "stack/ip", "stack/multicast"],
  "stack/tunnel": [...COMMON, "stack/ip", "stack/icmp"],
  "stack/forward": [...COMMON, "stack/host", "stack/ip"],
  "stack/udp": [...COMMON, "stack/host", "stack/ip", "stack/icmp"],
  "stack/tcp": [...COMMON, "stack/host", "stack/ip", "stack/icmp"],
  "stack/mdns": [...COMMON, "stack/host", "stack/ip", "stack/udp", "stack/dns"],
  "stack/dns": [...COMMON, "stack/host", "stack/ip", "stack/udp", "stack/tcp"],
  "stack/dhcp": [...COMMON, "stack/host", "stack/ip", "stack/udp"],
};

Deno.test("layering: each layer of the stack knows only those below it", () => {
  for (const [folder, below] of Object.entries(STACK)) {
    const isOwn = (path: string) => folder === "stack" ? path === folder : within(path, folder);
    const from = ALL.filter((module) => isOwn(module.folder));
    const isAllowed = (target: string) => {
      const targetFolder = target.split("/").slice(0, -1).join("/");
      return isOwn(targetFolder) || below.includes(targetFolder);
    };
    deepEqual(forbidden(from, isAllowed), []);
  }
  const unknown = inside("stack").filter(({ folder }) =>
    folder !== "stack" && !Object.keys(STACK).some((known) => known !== "stack" && within(folder, known))
  );
  deepEqual(unknown.map(({ file }) => file), [], "a new layer gets its line in the table above");
});

Deno.test("layering: a NIC knows of the stack what a frame, a slot and a handler are, bytes and containers", () => {
  const ground = ["stack/wire", "stack/store", "stack/loss"];
  const files = ["error", "frame", "handler", "offload", "slot"].map((name) => `stack/${name}.ts`);
  const isAllowed = (target: string) =>
    within(target, "nic") || target.startsWith("node:") || files.includes(target) ||
    ground.some((folder) => within(target, folder));
  deepEqual(forbidden(inside("nic"), isAllowed), []);
});

Deno.test("layering: foreign functions are called in nic/linux only", () => {
  const foreign = /\bDeno\s*\.\s*(dlopen|Unsafe\w+)/;
  const callers = ALL.filter(({ text }) => foreign.test(codeOf(text))).map(({ file }) => file);
  deepEqual(callers.filter((file) => !within(file, "nic/linux")), []);
  ok(callers.length > 0, "or else this rule has nothing to hold");
});

Deno.test("layering: applications import the public module, each other and their libraries, nothing else of ours", () => {
  deepEqual(
    forbidden(
      inside("apps"),
      (target) => within(target, "apps") || target === "mod.ts" || isBare(target) || target === "deno.json",
    ),
    [],
  );
});

Deno.test("layering: sockets stand on the stack and the NICs, and on nothing above", () => {
  const below = ["sockets", "stack", "nic"];
  deepEqual(
    forbidden(
      inside("sockets"),
      (target) => below.some((folder) => within(target, folder)) || target.startsWith("node:"),
    ),
    [],
  );
  ok(inside("sockets").length > 10, "or else this rule has nothing to hold");
});

Deno.test("layering: the public module imports the stack, the NICs and the sockets", () => {
  const mod = ALL.filter(({ file }) => file === "mod.ts");
  equal(mod.length, 1);
  deepEqual(
    forbidden(mod, (target) => ["stack", "nic", "sockets"].some((folder) => within(target, folder))),
    [],
  );
});

Deno.test("layering: no module needs itself to be loaded: there are no circular imports but of types", () => {
  const values = new Map(
    ALL.map((
      { file, imports },
    ) => [file, imports.filter(({ isTypeOnly }) => !isTypeOnly).map(({ target }) => target)]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) cycles.push([...trail.slice(trail.indexOf(file)), file].join(" -> "));
    else if (!done.has(file)) {
      for (const target of values.get(file) ?? []) visit(target, [...trail, file]);
      done.add(file);
    }
  };
  for (const file of values.keys()) visit(file, []);
  deepEqual(cycles, []);
});

Deno.test("layering: each npm package is imported by exactly one module, types included", () => {
  const users = new Map<string, Set<string>>();
  for (const { file, imports } of [...ALL, ...modules("tests")]) {
    for (const { target } of imports) {
      if (!isBare(target) || target.startsWith("node:")) continue;
      users.set(target, (users.get(target) ?? new Set()).add(file));
    }
  }
  deepEqual(
    [...users].filter(([, files]) => files.size !== 1).map(([name, files]) => `${name}: ${[...files]}`),
    [],
  );
  const declared = new Set(Object.keys(deno.imports));
  deepEqual([...users.keys()].filter((name) => !declared.has(name)), [], "every one is pinned in deno.json");
});

Deno.test("layering: no file is longer than 400 lines", () => {
  const long = ALL.map(({ file, text }) => ({ file, lines: text.split("\n").length - 1 })).filter((
    { lines },
  ) => lines > 400);
  deepEqual(long, []);
});
