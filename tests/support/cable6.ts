/**
 * IPv6 on the cable between the kernel and an appliance.
 *
 * @module
 */
import { speakIpv6 } from "./cables.ts";
import { makeCable } from "./peer.ts";

export { KERNEL6, OWN6, PREFIX6 } from "./cables.ts";

/** Makes the cable, with IPv6 on the kernel's side, whose addresses can be used at once. */
export async function makeCable6(): Promise<string> {
  const nic = await makeCable();
  await speakIpv6();
  return nic;
}
