/**
 * A drill script as the parser understands it.
 *
 * The language is the public one of packetdrill; what this project adds to it is marked as ours.
 *
 * @module
 */
import type { Instant } from "../../../stack/store/time.ts";
import type { Address } from "../../../stack/wire/address.ts";
import type { Position } from "./error.ts";
import type { Expression } from "./ast-expression.ts";
import type { GreHeader, MplsLabel } from "./ast-header.ts";

export type * from "./ast-expression.ts";
export type * from "./ast-header.ts";

/** A whole script. */
export interface Script {
  /** Its name, for messages. */
  readonly file: string;
  /** The text of the first comment line; undefined if it starts without one. */
  readonly title: string | undefined;
  /** The `--name=value` lines it starts with. */
  readonly options: readonly Option[];
  /** Commands without a time before the first event. */
  readonly setUp: readonly CommandAction[];
  /** What happens, in order. */
  readonly events: readonly Event[];
  /** Commands without a time behind the last event. */
  readonly cleanUp: readonly CommandAction[];
}

/** A `--name=value` line. */
export interface Option {
  /** The name, without the dashes. */
  readonly name: string;
  /** The value as written, without quotes; undefined if there is none. */
  readonly value: string | undefined;
  /** Where it stands. */
  readonly at: Position;
}

/** When an event happens. Times are microseconds since the script's start or, relative, since the event before. */
export type Time =
  | { readonly kind: "at"; readonly relative: boolean; readonly from: Instant }
  | { readonly kind: "between"; readonly relative: boolean; readonly from: Instant; readonly to: Instant }
  | { readonly kind: "any" };

/** A line of a script. */
export interface Event {
  /** Where it starts. */
  readonly at: Position;
  /** When it happens. */
  readonly time: Time;
  /** What happens. */
  readonly action: Action;
}

/** What an event is about. */
export type Action = PacketAction | CallAction | CommandAction | CodeAction;

/** A shell command. */
export interface CommandAction {
  readonly kind: "command";
  /** Where it starts. */
  readonly at: Position;
  /** What is between the backquotes. */
  readonly text: string;
}

/** A code block. */
export interface CodeAction {
  readonly kind: "code";
  /** Where it starts. */
  readonly at: Position;
  /** What is between the braces. */
  readonly text: string;
}

/** A system call and what must come of it. */
export interface CallAction {
  readonly kind: "call";
  /** Where the name stands. */
  readonly at: Position;
  /** When a call that blocks returns, on the same scale as the event's time; undefined: it returns at once. */
  readonly end: Instant | undefined;
  /** The call's name. */
  readonly name: string;
  /** What it is called with. */
  readonly args: readonly Expression[];
  /** What it must answer. */
  readonly result: Expression;
  /** The error it must end in: "EAGAIN". */
  readonly errno: string | undefined;
  /** The remark in parentheses behind it. */
  readonly note: string | undefined;
}

/** A packet that comes in (`<`) or must go out (`>`). */
export interface PacketAction {
  readonly kind: "packet";
  /** Where the arrow stands. */
  readonly at: Position;
  /** "in": to the stack under test. */
  readonly direction: "in" | "out";
  /** What it is carried in, outermost first. */
  readonly carriers: readonly Carrier[];
  /** What is said of its IP header. */
  readonly ip: IpInfo;
  /** Its addresses, where the script gives them; ours. */
  readonly addresses: Pair<Address> | undefined;
  /** Its ports, where the script gives them. */
  readonly ports: Pair<number> | undefined;
  /** What it is. */
  readonly body: TcpBody | UdpBody | IcmpBody;
}

/** One of something for each end. */
export interface Pair<T> {
  readonly source: T;
  readonly destination: T;
}

/** A header around a packet. */
export type Carrier =
  | ({ readonly kind: "ip"; readonly isV4: boolean; readonly info: IpInfo } & Pair<Address>)
  | { readonly kind: "gre"; readonly header: GreHeader | undefined }
  | { readonly kind: "mpls"; readonly labels: readonly MplsLabel[] };

/** The ECN field's values; "ect01": either of the two that a sender may set. */
export type Ecn = "noecn" | "ect0" | "ect1" | "ect01" | "ce";

/** What is made wrong on purpose in a packet that comes in; ours. */
export type Fault = "badsum" | "nosum" | "badipsum" | "badlen";

/** What a script says of an IP header; undefined: nothing. */
export interface IpInfo {
  readonly ecn: Ecn | undefined;
  readonly trafficClass: number | undefined;
  readonly hopLimit: number | undefined;
  readonly flowLabel: number | undefined;
  /** The whole packet's length, of packets that must go out; ours. */
  readonly totalLength: number | undefined;
  /** Ours. */
  readonly fault: Fault | undefined;
}

/** A TCP segment. */
export interface TcpBody {
  readonly kind: "tcp";
  readonly flags: TcpFlags;
  /** The first sequence number. */
  readonly sequence: number;
  /** The payload's length. */
  readonly length: number;
  readonly acknowledgment: number | undefined;
  readonly window: number | undefined;
  readonly urgent: number | undefined;
  /** The options in order; "any": not compared. */
  readonly options: readonly TcpOption[] | "any";
  /** How the packet is to be mutated, as written: for fuzzers, and never supported here. */
  readonly mutation: string | undefined;
}

/** The control bits of a segment. */
export interface TcpFlags {
  /** As written. */
  readonly text: string;
  /** The bits of `tcp.Flag`, and 0x100 for AE (RFC 9768). */
  readonly bits: number;
  /** The counter that AE, CWR and ECE carry together (RFC 9768); its bits are in `bits` too. */
  readonly ace: number | undefined;
}

/** A TCP option as a script writes it. */
export type TcpOption =
  | { readonly kind: "nop" | "eol" | "sackOK" }
  | { readonly kind: "mss" | "wscale"; readonly value: number }
  | { readonly kind: "TS"; readonly value: number; readonly echo: number }
  | { readonly kind: "sack"; readonly blocks: readonly { readonly left: number; readonly right: number }[] }
  | { readonly kind: "FO" | "FOEXP" | "md5"; readonly data: Uint8Array }
  | { readonly kind: "ECN"; readonly counters: readonly { readonly name: string; readonly value: number }[] }
  | { readonly kind: "other"; readonly number: number; readonly data: Uint8Array } // ours: kind 99 0a0b
  | { readonly kind: "unsupported"; readonly text: string }; // Multipath TCP's

/** A UDP datagram. */
export interface UdpBody {
  readonly kind: "udp";
  /** The payload's length. */
  readonly length: number;
}

/** An ICMP message. */
export interface IcmpBody {
  readonly kind: "icmp";
  /** Where the type stands. */
  readonly at: Position;
  /** The type's name. */
  readonly type: string;
  /** The code's name; undefined: 0. */
  readonly code: string | undefined;
  readonly mtu: number | undefined;
  /** An echo's identifier. */
  readonly identifier: number | undefined;
  /** An echo's sequence number; ours. */
  readonly sequence: number | undefined;
  readonly quoted: Quoted | undefined;
}

/** The packet that an ICMP error is about, or an echo's data ("raw"). */
export type Quoted =
  | { readonly kind: "tcp"; readonly sequence: number; readonly length: number }
  | { readonly kind: "udp"; readonly length: number }
  | { readonly kind: "raw"; readonly length: number };
