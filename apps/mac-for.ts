/** Hardware addresses made of names. */
import { Mac } from "../mod.ts";

/** A locally administered unicast address: the same name, the same address. */
export function macFor(name: string): Mac {
  let hash = 0x811c9dc5;
  // FNV-1a, 32 bits: these addresses need only differ, nobody is to be kept from choosing one.
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return new Mac().set(0x0200, hash);
}
