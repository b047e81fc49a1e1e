/**
 * Our sockets held against Deno's own, over the kernel, by the same scripts: what is told, and when, is the same but for
 * what `differences.ts` lists.
 *
 * @module
 */
import { deepEqual, notDeepEqual, ok } from "node:assert/strict";
import { makeTap, peer, peerTest } from "../support/peer.ts";
import { DIFFERENCES } from "../support/twins/differences.ts";
import type { Seen } from "../support/twins/side.ts";

const MAIN = new URL("../support/twins/main.ts", import.meta.url).pathname;

/** What the scripts saw on a side. */
async function runOn(side: "deno" | "stack"): Promise<Record<string, Seen>> {
  const args = ["run", "-A", "--no-check", "--unstable-net", MAIN, side];
  const { code, stdout, stderr } = await peer(Deno.execPath(), args);
  ok(code === 0 && stdout.startsWith("{"), `${code}: ${stderr}`);
  return JSON.parse(stdout);
}

peerTest("sockets: what Deno's tell, ours do", ["ping"], undefined, async () => {
  makeTap();
  const [deno, ours] = await Promise.all([runOn("deno"), runOn("stack")]);
  ok(Object.keys(deno).length > 50);
  const wrong: Record<string, unknown> = {};
  for (const [name, seen] of Object.entries(deno)) {
    const differences = DIFFERENCES[name] ?? {};
    for (const key of Object.keys(differences)) {
      notDeepEqual(differences[key], seen[key], `${name}, ${key}: this is no difference any more`);
    }
    try {
      deepEqual(ours[name], { ...seen, ...differences });
    } catch (error) {
      wrong[name] = error;
    }
  }
  deepEqual(wrong, {});
});
