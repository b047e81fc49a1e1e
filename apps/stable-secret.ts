/** The secret of which addresses are made that stay the same (RFC 7217). */
import { createHash } from "node:crypto";
import type { SipKey } from "../mod.ts";

/** What makes machines differ, and one machine the same after a restart. */
const MACHINE_ID = "/etc/machine-id";

/** Made of the machine's secret identity and the NIC's name; random where a machine has none. */
export function stableSecret(nic: string): SipKey {
  let machine: string;
  try {
    machine = Deno.readTextFileSync(MACHINE_ID);
  } catch {
    machine = crypto.randomUUID();
  }
  const digest = createHash("sha256").update(`ethox ${machine.trim()} ${nic}`).digest();
  const [a, b, c, d] = [0, 4, 8, 12].map((at) => digest.readInt32LE(at));
  return [a!, b!, c!, d!];
}
