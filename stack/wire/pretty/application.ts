/**
 * Printing what datagrams carry, as far as hosts live by it: DHCP, DHCPv6, DNS and mDNS.
 *
 * @module
 */
import { Address } from "../address.ts";
import * as dhcpv4 from "../dhcpv4.ts";
import * as dhcpv6 from "../dhcpv6.ts";
import * as dns from "../dns.ts";
import { readMessage, type RecordData } from "../dns-record.ts";
import { WireError } from "../error.ts";
import { Mac } from "../mac.ts";
import { count, hex, type Printed, printed, type Scope } from "./text.ts";

/** How many records are printed, and how much of a name or a text. */
const RECORDS_MAX = 32, TEXT_MAX = 160;

/** Prints the data `[at..end)` of a datagram between these ports; undefined: of no protocol that is known here. */
export function printApplication(
  source: number,
  destination: number,
  scope: Scope,
  at: number,
  end: number,
): Printed | undefined {
  if (scope.cut) return undefined;
  const { bytes } = scope;
  const isOf = (...ports: readonly number[]) => ports.includes(source) || ports.includes(destination);
  if (isOf(dns.PORT, dns.MULTICAST_PORT)) return printDns(isOf(dns.MULTICAST_PORT), bytes, at, end);
  if (isOf(dhcpv4.SERVER_PORT, dhcpv4.CLIENT_PORT)) return printDhcp(bytes, at, end);
  if (isOf(dhcpv6.SERVER_PORT, dhcpv6.CLIENT_PORT)) return printDhcpv6(bytes, at, end);
  return undefined;
}

const DHCP_NAMES = ["", "discover", "offer", "request", "decline", "ack", "nak", "release", "inform"];

/** The options that hold addresses, one or more, or seconds. */
const DHCP_ADDRESSES = [
  [dhcpv4.Option.RequestedAddress, "requested address"],
  [dhcpv4.Option.ServerIdentifier, "server"],
  [dhcpv4.Option.SubnetMask, "subnet mask"],
  [dhcpv4.Option.Router, "router"],
  [dhcpv4.Option.DnsServer, "dns"],
] as const;

function printDhcp(bytes: Uint8Array, at: number, end: number): Printed | undefined {
  if (dhcpv4.check(bytes, at, end) !== WireError.None) return undefined;
  const value = new Uint8Array(64);
  const read = (code: number) => Math.min(value.length, dhcpv4.readOption(bytes, at, end, code, value));
  const type = read(dhcpv4.Option.MessageType) === 1 ? value[0]! : 0;
  const name = `DHCP ${DHCP_NAMES[type] || (type === 0 ? "without a type" : `type ${type}`)}`;
  const client = `client ${new Mac().read(bytes, at + dhcpv4.CLIENT_MAC)}`;
  const fields = [`${client}, transaction ${hex(dhcpv4.xid(bytes, at), 8)}, ${dhcpv4.secs(bytes, at)} s`];
  const line = [name, client];
  const address = (what: string, from: number) => {
    const found = new Address().readV4(bytes, from);
    if (!found.isUnspecified) line.push(`${what} ${found}`);
  };
  address("has", at + dhcpv4.CLIENT_ADDRESS);
  address("gets", at + dhcpv4.YOUR_ADDRESS);
  fields.push(...line.slice(2));
  for (const [code, what] of DHCP_ADDRESSES) {
    const length = read(code);
    if (length < 4) continue;
    const list: Address[] = [];
    for (let from = 0; from + 4 <= length; from += 4) list.push(new Address().readV4(value, from));
    fields.push(`option ${what} ${list.join(" ")}`);
  }
  if (read(dhcpv4.Option.LeaseTime) === 4) {
    fields.push(`option lease ${new DataView(value.buffer).getUint32(0)} s`);
  }
  return printed(line.join(", "), name, fields);
}

/** RFC 8415 7.3. */
const DHCPV6_NAMES = [
  "",
  "solicit",
  "advertise",
  "request",
  "confirm",
  "renew",
  "rebind",
  "reply",
  "release",
  "decline",
  "reconfigure",
  "information request",
  "relay forward",
  "relay reply",
];

function printDhcpv6(bytes: Uint8Array, at: number, end: number): Printed | undefined {
  if (dhcpv6.check(bytes, at, end) !== WireError.None) return undefined;
  const type = dhcpv6.type(bytes, at);
  const name = `DHCPv6 ${DHCPV6_NAMES[type] || `type ${type}`}`;
  const transaction = `transaction ${hex(dhcpv6.transaction(bytes, at), 6)}`;
  return printed(`${name}, ${transaction}`, name, [transaction]);
}

const DNS_TYPES = new Map<number, string>(Object.entries(dns.Type).map(([name, type]) => [type, name]));
const DNS_CODES = [
  "no error",
  "format error",
  "server failure",
  "no such name",
  "not implemented",
  "refused",
];

function printDns(isMulticast: boolean, bytes: Uint8Array, at: number, end: number): Printed | undefined {
  const message = dns.check(bytes, at, end) === WireError.None ? readMessage(bytes, at, end) : undefined;
  if (message === undefined) return undefined;
  const { questions, records } = message;
  const isResponse = (dns.flags(bytes, at) & dns.Flag.Response) !== 0;
  const code = dns.responseCode(bytes, at);
  const name = `${isMulticast ? "mDNS" : "DNS"} ${isResponse ? "response" : "query"}`;
  const asked = questions.slice(0, RECORDS_MAX).map(({ name, type }) =>
    `${typeName(type)} ${nameText(name)}`
  );
  const line = [name];
  if (!isMulticast) line.push(`id ${dns.id(bytes, at)}`);
  if (isResponse && code !== 0) line.push(DNS_CODES[code] ?? `code ${code}`);
  const fields = [line.slice(1).join(", ")].filter((text) => text !== "");
  if (asked.length > 0) {
    line.push(asked[0]! + (questions.length > 1 ? ` and ${questions.length - 1} more` : ""));
  }
  const answers = records.filter(({ section }) => section === dns.Section.Answer).length;
  if (isResponse) line.push(answers === 1 ? "1 answer" : `${answers} answers`);
  fields.push(...asked.map((text) => `question ${text}`));
  for (const { section, name, ttl, type, data } of records.slice(0, RECORDS_MAX)) {
    if (type === dns.Type.OPT) continue;
    fields.push(`${SECTIONS[section]} ${nameText(name)} ${ttl} s ${typeName(type)} ${dataText(data)}`);
  }
  return printed(line.join(", "), name, fields);
}

const SECTIONS: Readonly<Record<dns.Section, string>> = {
  [dns.Section.Answer]: "answer",
  [dns.Section.Authority]: "authority",
  [dns.Section.Additional]: "additional",
};

function typeName(type: number): string {
  return DNS_TYPES.get(type) ?? `type ${type}`;
}

function nameText(name: string): string {
  return name === "" ? "." : name.length > TEXT_MAX ? `${name.slice(0, TEXT_MAX)}...` : name;
}

function dataText(data: RecordData): string {
  if (data instanceof Address) return String(data);
  if (typeof data === "string") return nameText(data);
  if (data instanceof Uint8Array) return count(data.length);
  if ("exchange" in data) return `${data.preference} ${nameText(data.exchange)}`;
  if ("target" in data) return `${data.priority} ${data.weight} ${data.port} ${nameText(data.target)}`;
  return Array.isArray(data) ? `${data.length} strings` : "data";
}
