/**
 * TCP options between what a script writes and what the wire has.
 *
 * @module
 */
import { get16, get32 } from "../../../stack/wire/bytes.ts";
import { optionLength } from "../../../stack/wire/option-list.ts";
import { Kind } from "../../../stack/wire/tcp-options.ts";
import type { TcpOption } from "./ast.ts";
import type { Flow } from "./flow.ts";

const MD5 = 19;
const EXPERIMENT = 254;
/** RFC 7413 was tried under this number of RFC 6994's experiments. */
const FAST_OPEN_EXPERIMENT = 0xf989;
/** The two orders in which RFC 9768 3.2.3 has the counters. */
const ECN_FIRST_E0 = 172;
const ECN_FIRST_E1 = 174;

/**
 * The bytes of a segment's options as the script lets them come in, padded to whole words; or what cannot be built.
 * What the stack is told of itself (acknowledged blocks, echoed timestamps) is in the wire's numbers.
 */
export function optionBytes(options: readonly TcpOption[], flow: Flow): Uint8Array | string {
  const bytes: number[] = [];
  for (const option of options) {
    const encoded = encode(option, flow);
    if (typeof encoded === "string") return encoded;
    bytes.push(...encoded);
  }
  while (bytes.length % 4 !== 0) bytes.push(Kind.End);
  return bytes.length > 40
    ? `these options take ${bytes.length} bytes, and a header has 40`
    : Uint8Array.from(bytes);
}

function encode(option: TcpOption, flow: Flow): readonly number[] | string {
  switch (option.kind) {
    case "eol":
      return [Kind.End];
    case "nop":
      return [Kind.NoOperation];
    case "mss":
      return [Kind.MaximumSegmentSize, 4, option.value >> 8, option.value & 0xff];
    case "wscale":
      return [Kind.WindowScale, 3, option.value];
    case "sackOK":
      return [Kind.SackPermitted, 2];
    case "TS":
      return [Kind.Timestamps, 10, ...word(option.value), ...word(flow.timestampToWire(option.echo))];
    case "sack": {
      const edges = option.blocks.flatMap(({ left, right }) => [left, right]);
      return [Kind.Sack, 2 + edges.length * 4, ...edges.flatMap((edge) => word(flow.toWire(edge)))];
    }
    case "md5":
      return [MD5, 2 + option.data.length, ...option.data];
    case "FO":
      return [Kind.FastOpen, 2 + option.data.length, ...option.data];
    case "FOEXP":
      return [
        EXPERIMENT,
        4 + option.data.length,
        FAST_OPEN_EXPERIMENT >> 8,
        FAST_OPEN_EXPERIMENT & 0xff,
        ...option.data,
      ];
    case "ECN": {
      const kind = option.counters[0]?.name === "e1b" ? ECN_FIRST_E1 : ECN_FIRST_E0;
      return [
        kind,
        2 + option.counters.length * 3,
        ...option.counters.flatMap(({ value }) => word(value).slice(1)),
      ];
    }
    case "other":
      return [option.number, 2 + option.data.length, ...option.data];
    case "unsupported":
      return `the option ${option.text}`;
  }
}

function word(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

/** The options in `bytes[at..end)` of a segment that the stack has sent, in the wire's numbers. */
export function readOptions(bytes: Uint8Array, at: number, end: number): TcpOption[] {
  const options: TcpOption[] = [];
  while (at < end) {
    const length = bytes[at] === Kind.End ? 1 : optionLength(bytes, at, end);
    if (length === 0) {
      options.push({ kind: "unsupported", text: `malformed option ${bytes[at]}` });
      return options;
    }
    options.push(decode(bytes, at, length));
    at += length;
  }
  return options;
}

function decode(bytes: Uint8Array, at: number, length: number): TcpOption {
  const kind = bytes[at]!;
  const data = bytes.slice(at + 2, at + length);
  if (kind === Kind.End) return { kind: "eol" };
  if (kind === Kind.NoOperation) return { kind: "nop" };
  if (kind === Kind.MaximumSegmentSize && length === 4) return { kind: "mss", value: get16(bytes, at + 2) };
  if (kind === Kind.WindowScale && length === 3) return { kind: "wscale", value: bytes[at + 2]! };
  if (kind === Kind.SackPermitted && length === 2) return { kind: "sackOK" };
  if (kind === Kind.Timestamps && length === 10) {
    return { kind: "TS", value: get32(bytes, at + 2) >>> 0, echo: get32(bytes, at + 6) >>> 0 };
  }
  if (kind === Kind.Sack && length > 2 && length % 8 === 2) {
    const blocks = Array.from({ length: (length - 2) / 8 }, (_, index) => {
      const left = get32(bytes, at + 2 + index * 8) >>> 0;
      return { left, right: get32(bytes, at + 6 + index * 8) >>> 0 };
    });
    return { kind: "sack", blocks };
  }
  if (kind === MD5) return { kind: "md5", data };
  if (kind === Kind.FastOpen) return { kind: "FO", data };
  if (kind === EXPERIMENT && length >= 4 && get16(bytes, at + 2) === FAST_OPEN_EXPERIMENT) {
    return { kind: "FOEXP", data: data.slice(2) };
  }
  if ((kind === ECN_FIRST_E0 || kind === ECN_FIRST_E1) && data.length % 3 === 0) return decodeEcn(kind, data);
  return { kind: "other", number: kind, data };
}

function decodeEcn(kind: number, data: Uint8Array): TcpOption {
  const names = kind === ECN_FIRST_E0 ? ["e0b", "ceb", "e1b"] : ["e1b", "ceb", "e0b"];
  const counters = names.slice(0, data.length / 3).map((name, index) => {
    return { name, value: (data[index * 3]! << 16) | get16(data, index * 3 + 1) };
  });
  return { kind: "ECN", counters };
}

/** The option as a script writes it. */
export function optionText(option: TcpOption): string {
  switch (option.kind) {
    case "mss":
    case "wscale":
      return `${option.kind} ${option.value}`;
    case "TS":
      return `TS val ${option.value} ecr ${option.echo}`;
    case "sack":
      return `sack ${option.blocks.map(({ left, right }) => `${left}:${right}`).join(" ")}`;
    case "FO":
    case "FOEXP":
    case "md5":
      return option.data.length === 0 ? option.kind : `${option.kind} ${option.data.toHex()}`;
    case "ECN":
      return ["ECN", ...option.counters.map(({ name, value }) => `${name} ${value}`)].join(" ");
    case "other":
      return `kind ${option.number} ${option.data.toHex()}`.trimEnd();
    case "unsupported":
      return option.text;
    default:
      return option.kind;
  }
}

/** The options as a script writes them. */
export function optionsText(options: readonly TcpOption[]): string {
  return `<${options.map(optionText).join(",")}>`;
}
