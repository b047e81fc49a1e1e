/**
 * Which names are meant by a name that is not written in full.
 *
 * @module
 */
import { canonicalName } from "../wire/dns-name.ts";

/** Names that are tried for one. */
const CANDIDATES_MAX = 8;

/**
 * The full names that `name` may stand for, in the order in which they are tried: with a dot at its end only itself; with
 * a dot in it itself first, then with each domain of the list behind it; else those first (RFC 1123 6.1.4.3, and "ndots:1"
 * of resolv.conf). Undefined: it is no name.
 */
export function candidates(name: string, search: readonly string[]): string[] | undefined {
  const own = canonicalName(name);
  if (own === undefined || own === "") return own === undefined ? undefined : [""];
  if (name.endsWith(".")) return [own];
  const longer = search.flatMap((domain) => canonicalName(`${own}.${domain}`) ?? []);
  const all = own.includes(".") ? [own, ...longer] : [...longer, own];
  return [...new Set(all)].slice(0, CANDIDATES_MAX);
}

/** The name under which the name of an address is asked for (RFC 1035 3.5, RFC 3596 2.5). */
export function reverseName(text: string): string {
  if (!text.includes(":")) return `${text.split(".").reverse().join(".")}.in-addr.arpa`;
  const [head = "", tail] = text.split("::");
  const groups = (part: string) => part === "" ? [] : part.split(":");
  const [front, back] = [groups(head), groups(tail ?? "")];
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  const all = [...front, ...new Array<string>(zeros).fill("0"), ...back];
  const digits = all.map((group) => group.padStart(4, "0")).join("");
  return `${[...digits].reverse().join(".")}.ip6.arpa`;
}
