/**
 * A wire that loses TCP packets at random: nftables on the test's TAP.
 *
 * @module
 */
import { findProgram } from "../../scripts/setup/programs.ts";
import { run } from "./netns.ts";
import { TAP } from "./peer.ts";

/** Debian's programs that it takes. */
export const LOSS_PROGRAMS: readonly string[] = ["nft", "ethtool"];

/** Loses so many of a hundred TCP packets in each direction from now on. Both chains are below IP, so that nobody is told. */
export async function lose(percent: number): Promise<void> {
  // Without offloads, so that segments are lost and not whole bursts.
  await run(findProgram("ethtool") ?? "ethtool", "-K", TAP, "tso", "off", "gso", "off");
  const chain = (name: string) =>
    `chain ${name} {
      type filter hook ${name} device "${TAP}" priority 0; policy accept;
      ip protocol tcp numgen random mod 100 < ${percent} counter drop
    }`;
  await nft(`table netdev loss {}
    delete table netdev loss
    table netdev loss {\n${chain("ingress")}\n${chain("egress")}\n}`);
}

/** How many packets were lost since, on their way from us, and to us. */
export async function lost(): Promise<number[]> {
  const text = await nft("list", "table", "netdev", "loss");
  return [...text.matchAll(/counter packets (\d+)/g)].map(([, count]) => Number(count));
}

async function nft(...args: string[]): Promise<string> {
  return await run(findProgram("nft") ?? "nft", ...args);
}
