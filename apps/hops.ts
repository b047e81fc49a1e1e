/** The hops of a traceroute, for people and for programs. */
import { type Address, type HopResult, IcmpType, Icmpv6Type, type ProbeResult } from "../mod.ts";
import type { Json } from "./cli/output.ts";

/** Codes of Destination Unreachable, as traceroute has always marked them (RFC 792, RFC 1812 5.2.7.1, RFC 4443 3.1). */
const MARKS_V4: Readonly<Record<number, string>> = {
  0: "!N",
  1: "!H",
  2: "!P",
  3: "",
  5: "!S",
  6: "!N",
  7: "!H",
  9: "!X",
  10: "!X",
  13: "!X",
};
const MARKS_V6: Readonly<Record<number, string>> = {
  0: "!N",
  1: "!X",
  2: "!S",
  3: "!H",
  4: "",
  5: "!X",
  6: "!X",
};

/** What stands behind a probe's time; empty: nothing. */
function mark({ from, error, mtu }: ProbeResult): string {
  if (from === undefined || error === undefined) return "";
  const { type, code } = error;
  if (mtu > 0) return `!F-${mtu}`;
  if (!from.isV4 && type === Icmpv6Type.PacketTooBig) return "!F";
  const unreachable = from.isV4 ? IcmpType.DestinationUnreachable : Icmpv6Type.DestinationUnreachable;
  if (type !== unreachable) return `!<${type}-${code}>`;
  if (from.isV4 && code === 4) return "!F";
  return (from.isV4 ? MARKS_V4 : MARKS_V6)[code] ?? `!<${type}-${code}>`;
}

const milliseconds = (probe: ProbeResult): string => `${(probe.rtt / 1_000).toFixed(3)} ms`;

/** A hop's line. `isFollowed`: where a router's MTU was followed, it is shown. */
export function hopLine({ hop, probes }: HopResult, isFollowed: boolean): string {
  const words = [String(hop).padStart(2)];
  let last: Address | undefined;
  for (const probe of probes) {
    const { from } = probe;
    if (from === undefined) {
      words.push("*");
      continue;
    }
    if (last === undefined || !last.equals(from)) words.push(String(from));
    last = from;
    const what = [milliseconds(probe), mark(probe)];
    if (isFollowed && probe.mtu > 0 && probe.error === undefined) what.push(`F=${probe.mtu}`);
    words.push(what.filter((word) => word !== "").join(" "));
  }
  return words.join("  ");
}

/** A hop as JSON. */
export function hopRow({ hop, probes }: HopResult): { [key: string]: Json | undefined } {
  return {
    hop,
    probes: probes.map((probe): Json => {
      const { from, rtt, isReached, error, mtu } = probe;
      if (from === undefined) return { address: null };
      const note = mark(probe);
      return {
        address: String(from),
        rttMs: rtt / 1_000,
        reached: isReached,
        ...(note !== "" && { note }),
        ...(error && { type: error.type, code: error.code }),
        ...(mtu > 0 && { mtu }),
      };
    }),
  };
}
