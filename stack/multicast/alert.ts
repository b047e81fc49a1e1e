/**
 * The router alert that messages about groups come with (RFC 2113, RFC 2711).
 *
 * @module
 */
import type { IpIn } from "../ip/packet.ts";
import { get16 } from "../wire/bytes.ts";
import * as options from "../wire/ipv4-options.ts";
import * as extension from "../wire/ipv6-extension.ts";
import * as ipv6 from "../wire/ipv6.ts";
import { Protocol } from "../wire/protocol.ts";

/** RFC 2711 2.1: the value of an alert about MLD, and where it lies in the option. */
const MLD = 0, VALUE = 2, LENGTH = 4;

/** Whether a packet, the options of which were checked, has one. */
export function hasRouterAlert({ isV4, frame, headerAt: at }: IpIn): boolean {
  const { bytes } = frame;
  if (isV4) return options.findOption(bytes, at, options.Option.RouterAlert) >= 0;
  if (ipv6.nextHeader(bytes, at) !== Protocol.HopByHop) return false;
  const header = at + ipv6.HEADER_LENGTH;
  const end = header + extension.length(bytes, header);
  for (let option = header + extension.OPTIONS; option < end;) {
    const length = extension.optionLength(bytes, option, end);
    if (length === 0) return false;
    if (bytes[option] === extension.Option.RouterAlert && length === LENGTH) {
      return get16(bytes, option + VALUE) === MLD;
    }
    option += length;
  }
  return false;
}
