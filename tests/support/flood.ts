/**
 * Floods an interface with frames of 65,536 made-up neighbours, each of another address and station, at an even rate.
 *
 * `deno run -A tests/support/flood.ts INTERFACE MAC KIND RATE COUNT`: a line of JSON, with how many a second there were.
 *
 * @module
 */
import { openRaw } from "../../nic/linux/raw.ts";
import type { Slot } from "../../stack/slot.ts";
import { EtherType } from "../../stack/wire/ethernet.ts";
import { arpFrame, BROADCAST_MAC, data, ethernet, icmp, ipv4 } from "./frames.ts";
import { icmpv6, ipv6 } from "./frames-v6.ts";
import { solicitation } from "./ndp.ts";

/** The addresses of the appliance that is flooded. */
export const FLOODED = "10.0.0.1", FLOODED6 = "2001:db8::1";

/** How many neighbours there are. */
const STRANGERS = 65_536;

/** What a stranger sends. */
const KINDS: Readonly<Record<string, (n: number, mac: string) => Uint8Array>> = {
  arp: (n) =>
    arpFrame({ sender: address4(n), senderMac: station(n), target: FLOODED }, {
      source: station(n),
      destination: BROADCAST_MAC,
    }),
  echo: (n, destination) =>
    ethernet(ipv4(icmp(data(8)), { source: address4(n), destination: FLOODED }), {
      source: station(n),
      destination,
    }),
  ns: (n) => solicitation({ source: address6(n), target: FLOODED6, mac: station(n) }),
  echo6: (n, destination) =>
    ethernet(
      ipv6(icmpv6(data(8), {}, address6(n), FLOODED6), { source: address6(n), destination: FLOODED6 }),
      { source: station(n), destination, etherType: EtherType.Ipv6 },
    ),
};

const address4 = (n: number) => `10.1.${n >> 8}.${n & 0xff}`;
const address6 = (n: number) => `2001:db8::9:${n.toString(16)}`;
const station = (n: number) => `02:00:00:01:${hex(n >> 8)}:${hex(n & 0xff)}`;
const hex = (byte: number) => byte.toString(16).padStart(2, "0");

/** Sends `count` frames, `rate` a second as far as the interface takes them. Answers how many a second there were. */
async function flood(
  name: string,
  frames: readonly Uint8Array[],
  rate: number,
  count: number,
): Promise<number> {
  const nic = openRaw(name);
  let sent = 0;
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1_000;
  const send = (slot: Slot) => {
    if (sent >= Math.min(count, rate * elapsed())) return;
    const frame = frames[sent % frames.length]!;
    slot.frame.resize(frame.length);
    slot.frame.bytes.set(frame, slot.frame.start);
    slot.queue();
    sent++;
  };
  for (let turn = 0; sent < count; turn++) {
    nic.tx(64, { send });
    if (turn % 64 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  nic.close();
  return sent / elapsed();
}

if (import.meta.main) {
  const [name = "", mac = "", kind = "", rate = "", count = ""] = Deno.args;
  const frames = Array.from({ length: STRANGERS }, (_, n) => KINDS[kind]!(n, mac));
  console.log(JSON.stringify({ rate: await flood(name, frames, Number(rate), Number(count)) }));
}
