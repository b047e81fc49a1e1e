/** Which addresses may be a host's own. */
import { Addresses, type Cidr } from "../mod.ts";

/** Throws unless a host on a network may have the address. */
export function checkHostAddress(cidr: Cidr): void {
  void new Addresses([cidr]);
  // RFC 1122 3.2.1.3 g, RFC 4291 2.5.3.
  if (cidr.address.isLoopback) {
    throw new RangeError(`${cidr} is a loopback address, which nobody on a network may use`);
  }
}
