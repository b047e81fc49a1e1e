/**
 * The calls that receive.
 *
 * @module
 */
import type { Expression } from "./ast.ts";
import type { Arguments } from "./arguments.ts";
import {
  answer,
  type Attempt,
  type CallContext,
  type Descriptor,
  descriptorOf,
  type Prepare,
  waiting,
} from "./call.ts";
import type { Received, SocketAddress } from "./host.ts";
import { datagramBytes, firstDifference, streamBytes } from "./pattern.ts";

/** What a receiving call is to hand out. */
interface Wanted {
  readonly buffer: Expression;
  readonly length: number;
  readonly flags: readonly string[];
  readonly from: Expression | undefined;
  /** The flags that the message must have; undefined: not looked at. */
  readonly messageFlags: readonly string[] | undefined;
}

/** read, readv, recv, recvfrom and recvmsg. */
export const readCalls: readonly (readonly [string, Prepare])[] = [
  ["read", (args, context) => receive(args, context, plain(args, []))],
  ["recv", (args, context) => receive(args, context, plain(args, args.names(3, "flags")))],
  ["recvfrom", (args, context) => {
    const from = args.length > 4 ? args.at(4, "an address") : undefined;
    return receive(args, context, { ...plain(args, args.names(3, "flags")), from });
  }],
  ["readv", (args, context) => {
    const buffer = args.at(1, "an array of vectors");
    const length = args.vectors(buffer.kind === "array" ? buffer.items : []);
    return receive(args, context, { buffer, length, flags: [], from: undefined, messageFlags: undefined });
  }],
  ["recvmsg", (args, context) => {
    const header = args.at(1, "a message header");
    if (header.kind !== "msghdr") return args.fail("expected a message header", header);
    if (header.control.length > 0) return args.unsupported("a control message of recvmsg()");
    const messageFlags = header.flags.kind === "ellipsis" ? undefined : args.namesOf(header.flags, "flags");
    const length = args.vectors(header.vectors);
    const flags = args.names(2, "flags");
    return receive(args, context, { buffer: header, length, flags, from: header.name, messageFlags });
  }],
];

function plain(args: Arguments, flags: readonly string[]): Wanted {
  const length = args.number(2, "a length");
  return { buffer: args.at(1, "a buffer"), length, flags, from: undefined, messageFlags: undefined };
}

function receive(args: Arguments, context: CallContext, wanted: Wanted): Attempt {
  const descriptor = descriptorOf(args, context);
  const mayWait = !descriptor.isNonBlocking && !wanted.flags.includes("MSG_DONTWAIT");
  return waiting(mayWait, () => {
    const outcome = context.host.receive(descriptor.fd, wanted.length, wanted.flags);
    if (outcome.kind !== "done") return outcome;
    const found = [...differences(wanted, outcome.detail, descriptor)];
    if (descriptor.isStream && !wanted.flags.includes("MSG_PEEK")) {
      descriptor.read += outcome.detail.data.length;
    }
    return answer(outcome, found);
  });
}

function* differences(
  wanted: Wanted,
  { data, from, flags }: Received,
  descriptor: Descriptor,
): Generator<string> {
  if (wanted.buffer.kind === "string") {
    const text = new TextDecoder("latin1").decode(data);
    const { text: expected, goesOn } = wanted.buffer;
    if (goesOn ? !text.startsWith(expected) : text !== expected) {
      yield `data: expected "${expected}", but it is "${text}"`;
    }
  } else if (!flags.includes("MSG_TRUNC")) {
    const expected = descriptor.isStream
      ? streamBytes(descriptor.read, data.length)
      : datagramBytes(data.length);
    const at = firstDifference(expected, data);
    if (at >= 0) yield `data byte ${at}: expected ${expected[at]}, but it is ${data[at]}`;
  }
  if (wanted.from !== undefined) yield* addressDifferences(wanted.from, from, "sender");
  if (wanted.messageFlags !== undefined) {
    const [expected, actual] = [[...wanted.messageFlags].sort().join("|"), [...flags].sort().join("|")];
    if (expected !== actual) yield `msg_flags: expected ${expected || 0}, but they are ${actual || 0}`;
  }
  if (data.length > wanted.length) yield `data: ${data.length} bytes, where the buffer has ${wanted.length}`;
}

/** How a socket's name differs from what a script expects of it. */
export function* addressDifferences(
  expected: Expression,
  actual: SocketAddress | undefined,
  what: string,
): Generator<string> {
  if (expected.kind !== "sockaddr") return;
  const wanted = `${expected.address} port ${expected.port}`;
  const found = actual === undefined ? "nobody" : `${actual.address} port ${actual.port}`;
  if (wanted !== found) yield `${what}: expected ${wanted}, but it is ${found}`;
}
