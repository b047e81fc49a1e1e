/**
 * The smallest station that answers: ARP and ICMP echo for 10.9.0.2, written in place, without the stack, so that
 * NICs can be tested and measured by themselves.
 *
 * @module
 */
import type { Receiver } from "../../stack/handler.ts";
import type { Slot } from "../../stack/slot.ts";
import type { Nic } from "../../nic/device.ts";

/** The address it answers for. */
export const REFLECTOR = "10.9.0.2";

/** The address and prefix the kernel's end should have. */
export const KERNEL = "10.9.0.1/24";

/** Its hardware address. */
export const REFLECTOR_MAC = "02:00:00:09:00:02";

const OWN = [10, 9, 0, 2], MAC = [0x02, 0, 0, 0x09, 0, 0x02];

/** Answers ARP requests and echo requests to {@linkcode REFLECTOR}. */
export const reflector: Receiver<Slot> = { receive };

function receive(slot: Slot): void {
  const { bytes, start, length } = slot.frame;
  const etherType = bytes[start + 12]! << 8 | bytes[start + 13]!;
  const answered = length >= 42 &&
    (etherType === 0x0806
      ? answerArp(bytes, start + 14)
      : etherType === 0x0800 && answerEcho(bytes, start + 14));
  if (!answered) return;
  bytes.copyWithin(start, start + 6, start + 12);
  bytes.set(MAC, start + 6);
  slot.queue();
}

function isOwn(bytes: Uint8Array, at: number): boolean {
  return OWN.every((byte, i) => bytes[at + i] === byte);
}

function answerArp(bytes: Uint8Array, at: number): boolean {
  if (bytes[at + 7] !== 1 || !isOwn(bytes, at + 24)) return false;
  bytes[at + 7] = 2;
  bytes.copyWithin(at + 18, at + 8, at + 18);
  bytes.set(MAC, at + 8);
  bytes.set(OWN, at + 14);
  return true;
}

function answerEcho(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== 0x45 || bytes[at + 9] !== 1 || bytes[at + 20] !== 8 || !isOwn(bytes, at + 16)) {
    return false;
  }
  bytes.copyWithin(at + 16, at + 12, at + 16);
  bytes.set(OWN, at + 12);
  // Type 8 becomes 0: RFC 1624 for the one word that changes.
  bytes[at + 20] = 0;
  const sum = (bytes[at + 22]! << 8 | bytes[at + 23]!) + 0x0800;
  const folded = (sum & 0xffff) + (sum >>> 16);
  bytes[at + 22] = folded >>> 8;
  bytes[at + 23] = folded;
  return true;
}

/** Reflects until the NIC is closed or fails. */
export async function reflect(nic: Nic, receiver: Receiver<Slot> = reflector): Promise<void> {
  while (nic.failure === undefined) {
    nic.rx(64, receiver);
    await nic.ready();
  }
}
