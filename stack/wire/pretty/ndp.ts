/**
 * Printing the options of Neighbor Discovery.
 *
 * @module
 */
import { Address } from "../address.ts";
import { Mac } from "../mac.ts";
import * as options from "../ndp-options.ts";
import { count } from "./text.ts";

/** How many options are printed. */
const OPTIONS_MAX = 16;

/** The options `bytes[option..end)`, one string an option. */
export function ndpOptions(bytes: Uint8Array, option: number, end: number): string[] {
  const list: string[] = [];
  while (option + 2 <= end && list.length < OPTIONS_MAX) {
    const length = options.optionLength(bytes, option);
    if (length === 0 || option + length > end) return [...list, "option malformed"];
    list.push(`option ${optionText(bytes, option, length)}`);
    option += length;
  }
  return list;
}

function optionText(bytes: Uint8Array, option: number, length: number): string {
  const { OptionType, PrefixFlag } = options;
  const type = options.optionType(bytes, option);
  if (length === options.LINK_ADDRESS_LENGTH) {
    if (type === OptionType.SourceLinkAddress) {
      return `source link address ${new Mac().read(bytes, option + 2)}`;
    }
    if (type === OptionType.TargetLinkAddress) {
      return `target link address ${new Mac().read(bytes, option + 2)}`;
    }
  }
  if (options.isMtu(bytes, option)) return `mtu ${options.mtu(bytes, option)}`;
  if (options.isPrefix(bytes, option)) {
    const prefix = new Address().readV6(bytes, option + options.PREFIX);
    const flags = options.prefixFlags(bytes, option);
    return [
      `prefix ${prefix}/${options.prefixLength(bytes, option)}`,
      ...(flags & PrefixFlag.OnLink ? ["on link"] : []),
      ...(flags & PrefixFlag.Autonomous ? ["autonomous"] : []),
      `valid ${lifetime(options.validLifetime(bytes, option))}`,
      `preferred ${lifetime(options.preferredLifetime(bytes, option))}`,
    ].join(", ");
  }
  const servers = options.dnsServers(bytes, option);
  if (servers > 0) {
    const list = Array.from({ length: Math.min(servers, 8) }, (_, index) => {
      return new Address().readV6(bytes, option + options.DNS_SERVERS + 16 * index);
    });
    return `dns ${list.join(" ")}, lifetime ${lifetime(options.dnsLifetime(bytes, option))}`;
  }
  return `type ${type} of ${count(length)}`;
}

function lifetime(seconds: number): string {
  return seconds === options.INFINITE ? "for ever" : `${seconds} s`;
}
