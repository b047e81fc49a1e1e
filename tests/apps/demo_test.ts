import assert from "node:assert/strict";
import { ethox, events } from "../support/command.ts";

Deno.test("demo: in memory, every probe is answered and every packet told", async () => {
  const { status, out, err } = await ethox(["demo", "--link"]);
  assert.equal(err, "");
  assert.equal(status, 0);
  assert.match(out, /neighbour → ethox {2}ARP who has 10\.0\.0\.1\? tell 10\.0\.0\.2 +eth › arp\n/);
  assert.match(
    out,
    /ethox → neighbour {2}ICMP echo reply, id 56, seq 5, length 64 +answered in place, \d+ us\n/,
  );
  assert.match(out, /length 1480 +eth › ip › icmp\n/);
  assert.match(out, /ICMPv6 neighbour solicitation, target fd00::1, length 32 +eth › ndp\n/);
  assert.match(out, /ICMPv6 echo reply, id 56, seq 5, length 64 +answered in place, \d+ us\n/);
  assert.match(out, /length 1460 +eth › ip › icmp\n/);
  assert.match(out, /all 5 probes were answered/);
  assert.ok(!out.includes("\x1b"));
});

Deno.test("demo: with --json the same comes as events", async () => {
  const [{ status }, lines] = await events(["demo", "--link"]);
  assert.equal(status, 0);
  assert.equal(lines[0]!.event, "ready");
  const probes = lines.filter(({ event }) => event === "probe");
  assert.deepEqual(probes.map(({ sent, answered }) => [sent, answered]), [[3, 3], [5, 5], [3, 3], [5, 5], [
    3,
    3,
  ]]);
  const packets = lines.filter(({ event }) => event === "packet");
  assert.equal(packets.length, 2 * (3 + 1 + 5 + 3 + 1 + 5 + 3));
  const times = packets.map(({ timeMs }) => Number(timeMs));
  assert.deepEqual(times, times.toSorted((a, b) => a - b));
  assert.ok(Number(lines.find(({ event }) => event === "untold")!.packets) > 0);
  assert.equal(lines.at(-1)!.event, "summary");
  assert.equal(lines.at(-1)!.answered, true);
});

Deno.test("demo: colours are only for terminals", async () => {
  const { out } = await ethox(["demo", "--link"], { colors: true });
  assert.ok(out.includes("\x1b[32mall 5 probes were answered"));
});

Deno.test("demo: an interruption ends it at once, with the status that shells give to Ctrl-C", async () => {
  const { status, out } = await ethox(["demo", "--link"], {
    onOut: (out, interrupt) => {
      if (out.includes("3 of 3 answered")) interrupt();
    },
  });
  assert.equal(status, 130);
  assert.match(out, /interrupted\n$/);
  assert.doesNotMatch(out, /probes were answered/);
});
