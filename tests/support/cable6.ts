/**
 * IPv6 on the cable between the kernel and an appliance.
 *
 * @module
 */
import { run, sysctl } from "./netns.ts";
import { makeCable, TAP } from "./peer.ts";

/** The appliance's address and the kernel's, with their prefix. */
export const OWN6 = "2001:db8::1", KERNEL6 = "2001:db8::2", PREFIX6 = "/64";

/** Makes the cable, with IPv6 on the kernel's side, whose addresses can be used at once. */
export async function makeCable6(): Promise<string> {
  const nic = await makeCable();
  sysctl(`net/ipv6/conf/${TAP}/accept_dad`, "0");
  sysctl(`net/ipv6/conf/${TAP}/disable_ipv6`, "0");
  await run("ip", "addr", "add", `${KERNEL6}${PREFIX6}`, "dev", TAP, "nodad");
  return nic;
}
