/**
 * Which names are meant by a name that is not written in full.
 *
 * @module
 */
import { canonicalName } from "../wire/dns-name.ts";
import type { DnsAnswer, DnsStatus } from "./answer.ts";
import type { Answered, Pending } from "./resolver.ts";

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

/**
 * After which answers the next name is tried, the least telling first: there is no such name; it is not known whether
 * there is one, since its domain's servers fail; there is one.
 */
const UNFOUND: readonly DnsStatus[] = ["no-name", "failed", "no-data"];

/** Asks for one name after the other, until one has such records or no more may be asked for. `done` is told once. */
export function askInTurn(
  names: readonly string[],
  ask: (name: string, answered: Answered) => Pending,
  mayGoOn: () => boolean,
  done: Answered,
): Pending {
  let pending: Pending | undefined;
  let isOver = false;
  // What is told when no name has such records.
  let best: DnsAnswer | undefined;
  const next = (index: number) => {
    let isAnswered = false;
    const asked = ask(names[index]!, (answer) => {
      isAnswered = true;
      if (isOver) return;
      const worth = UNFOUND.indexOf(answer.status);
      if (worth >= 0 && (best === undefined || worth > UNFOUND.indexOf(best.status))) best = answer;
      if (worth >= 0 && index + 1 < names.length && mayGoOn()) return next(index + 1);
      isOver = true;
      done(worth >= 0 ? best! : answer);
    });
    if (!isAnswered) pending = asked;
  };
  next(0);
  return {
    cancel: () => {
      isOver = true;
      pending?.cancel();
    },
  };
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
