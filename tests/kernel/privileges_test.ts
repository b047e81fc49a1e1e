/** What `ethox serve` gives up once its NIC is open, as the kernel tells it. */
import assert from "node:assert/strict";
import { raw, tap, xdpDrv } from "../support/cables.ts";
import { ethox, type Server, source } from "../support/ethox.ts";
import { assertAnswered, nicTest, peerTest, serve } from "../support/peer.ts";

/** Some fields of proc_pid_status(5) of every thread. */
function threads({ pid }: Server): Record<string, string>[] {
  return [...Deno.readDirSync(`/proc/${pid}/task`)].flatMap(({ name }) => {
    let text: string;
    try {
      text = Deno.readTextFileSync(`/proc/${pid}/task/${name}/status`);
    } catch {
      // It has ended since.
      return [];
    }
    const fields = [...text.matchAll(/^(\w+):[ \t]*(.*)$/gm)].map(([, key = "", value = ""]) => [key, value]);
    return [{ ...Object.fromEntries(fields), isMain: String(name === String(pid)) }];
  });
}

nicTest(
  "privileges: no thread can gain any, or call what starts programs; the main thread has no capabilities",
  ["ping"],
  source,
  async () => {
    await using server = await serve(source);
    await assertAnswered(2);
    const all = threads(server);
    assert.ok(all.length > 1, "Deno has several threads");
    for (const { NoNewPrivs, Seccomp } of all) assert.deepEqual([NoNewPrivs, Seccomp], ["1", "2"]);
    const main = all.find(({ isMain }) => isMain === "true");
    for (const set of ["CapEff", "CapPrm", "CapInh"]) assert.equal(main?.[set], "0000000000000000", set);
    await server.stop();
  },
  [tap, raw, xdpDrv],
);

nicTest(
  "privileges: with --user every thread is that user, without capabilities, and the NIC goes on",
  ["ping"],
  source,
  async () => {
    await using server = await serve(source, "udp-echo", "--user", "nobody");
    await assertAnswered(5);
    for (const { Uid, Gid, Groups, CapEff, CapPrm, NoNewPrivs } of threads(server)) {
      assert.match(Uid!, /^(\d+)\t\1\t\1\t\1$/);
      assert.notEqual(Uid!.split("\t")[0], "0");
      assert.notEqual(Gid!.split("\t")[0], "0");
      assert.equal(Groups!.trim(), "");
      assert.deepEqual([CapEff, CapPrm, NoNewPrivs], ["0000000000000000", "0000000000000000", "1"]);
    }
    await server.stop();
  },
  [tap, raw, xdpDrv],
);

peerTest(
  "privileges: a user that is not there is wrong usage, before anything is opened",
  [],
  source,
  async () => {
    const args = ["serve", "--nic", "tap:tap0", "--addr", "10.0.0.1/24", "--user", "nobody-of-that-name"];
    const { code, stderr } = await ethox(source, ...args);
    assert.match(
      stderr,
      /^ethox: --user: nobody-of-that-name: there is no such user; `getent passwd` lists them\n$/,
    );
    assert.equal(code, 2);
  },
);
