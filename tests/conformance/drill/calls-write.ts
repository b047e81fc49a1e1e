/**
 * The calls that send.
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
import type { SocketAddress } from "./host.ts";
import { datagramBytes, streamBytes } from "./pattern.ts";

/** write, writev, send, sendto and sendmsg. */
export const writeCalls: readonly (readonly [string, Prepare])[] = [
  ["write", (args, context) => {
    return send(args, context, args.at(1, "a buffer"), args.number(2, "a length"), [], undefined);
  }],
  ["writev", (args, context) => {
    const array = args.at(1, "an array of vectors");
    const length = args.vectors(array.kind === "array" ? array.items : []);
    return send(args, context, array, length, [], undefined);
  }],
  ["send", (args, context) => {
    const flags = args.names(3, "flags");
    return send(args, context, args.at(1, "a buffer"), args.number(2, "a length"), flags, undefined);
  }],
  ["sendto", (args, context) => {
    const flags = args.names(3, "flags");
    const to = destination(args, context, 4);
    return send(args, context, args.at(1, "a buffer"), args.number(2, "a length"), flags, to);
  }],
  ["sendmsg", (args, context) => {
    const header = args.at(1, "a message header");
    if (header.kind !== "msghdr") return args.fail("expected a message header", header);
    if (header.control.length > 0) return args.unsupported("a control message of sendmsg()");
    const to = header.name.kind === "sockaddr"
      ? { address: header.name.address, port: header.name.port }
      : defaultDestination(descriptorOf(args, context), context);
    return send(args, context, header, args.vectors(header.vectors), args.names(2, "flags"), to);
  }],
];

/** Where sendto() sends: `...` is the peer that the drill talks to, unless the socket has one itself. */
function destination(args: Arguments, context: CallContext, index: number): SocketAddress | undefined {
  if (!args.isAny(index)) return args.address(index);
  return defaultDestination(descriptorOf(args, context), context);
}

function defaultDestination(descriptor: Descriptor, { flows }: CallContext): SocketAddress | undefined {
  return descriptor.isConnected || descriptor.isStream ? undefined : flows.current.remote;
}

function send(
  args: Arguments,
  context: CallContext,
  buffer: Expression,
  length: number,
  flags: readonly string[],
  to: SocketAddress | undefined,
): Attempt {
  const descriptor = descriptorOf(args, context);
  const mayWait = !descriptor.isNonBlocking && !flags.includes("MSG_DONTWAIT");
  return waiting(mayWait, () => {
    const data = payload(args, context, descriptor, buffer, length);
    const outcome = context.host.send(descriptor.fd, data, to, flags);
    if (outcome.kind !== "done") return outcome;
    if (descriptor.isStream) descriptor.written += outcome.value;
    else addressed(context, descriptor, to);
    return answer(outcome);
  });
}

/** A datagram's ends are those of the packets that the script goes on with. */
function addressed(
  { host, config, flows }: CallContext,
  { fd }: Descriptor,
  to: SocketAddress | undefined,
): void {
  const own = host.localAddress(fd);
  if (own.kind === "done") {
    const { address, port } = own.detail;
    flows.current.local = { address: address.isUnspecified ? config.local : address, port };
  }
  if (to !== undefined) flows.current.remote = to;
}

function payload(
  args: Arguments,
  { flows }: CallContext,
  descriptor: Descriptor,
  buffer: Expression,
  length: number,
): Uint8Array {
  if (buffer.kind !== "string") {
    return descriptor.isStream ? streamBytes(descriptor.written, length) : datagramBytes(length);
  }
  (descriptor.flow ?? flows.current).isPattern = false;
  const text = new TextEncoder().encode(buffer.text);
  if (text.length < length && !buffer.goesOn) {
    args.fail(`"${buffer.text}" is shorter than ${length} bytes`, buffer);
  }
  const data = new Uint8Array(length);
  data.set(text.subarray(0, length));
  return data;
}
