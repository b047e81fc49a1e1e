/**
 * The calls that make, name, connect, set, watch and end sockets.
 *
 * @module
 */
import { NEVER } from "../../../stack/store/time.ts";
import type { Arguments } from "./arguments.ts";
import type { Expression } from "./ast.ts";
import {
  answer,
  type Attempt,
  type CallContext,
  Descriptor,
  descriptorOf,
  once,
  type Prepare,
  waiting,
} from "./call.ts";
import { addressDifferences } from "./calls-read.ts";
import { constantNumber, errnoNumber } from "./constants.ts";
import { PEER_PORT } from "./flows.ts";
import { done, type OptionValue, type SocketAddress } from "./host.ts";

/** Every call that neither sends nor receives. */
export const socketCalls: readonly (readonly [string, Prepare])[] = [
  ["socket", prepareSocket],
  ["bind", prepareBind],
  ["listen", prepareListen],
  ["accept", (args, context) => prepareAccept(args, context, [])],
  ["accept4", (args, context) => prepareAccept(args, context, args.names(3, "flags"))],
  ["connect", prepareConnect],
  ["shutdown", (args, context) => {
    const { fd } = descriptorOf(args, context);
    const how = args.name(1, "a direction");
    return once(() => answer(context.host.shutdown(fd, how)));
  }],
  ["close", prepareClose],
  ["fcntl", prepareControl],
  ["ioctl", prepareQuery],
  ["setsockopt", (args, context) => {
    const { fd } = descriptorOf(args, context);
    const [level, name] = [args.name(1, "a level"), args.name(2, "an option")];
    const value = args.option(3);
    return once(() => answer(context.host.setOption(fd, level, name, value)));
  }],
  ["getsockopt", prepareGetOption],
  ["getsockname", (args, context) => prepareName(args, context, "localAddress")],
  ["getpeername", (args, context) => prepareName(args, context, "remoteAddress")],
  ["poll", preparePoll],
];

/** The script's number for a new descriptor: the one that its result names. */
function register(args: Arguments, { descriptors }: CallContext, descriptor: Descriptor): readonly string[] {
  const { result } = args.call;
  if (result.kind === "ellipsis") return [];
  const number = args.numberOf(result, "a file descriptor");
  if (descriptors.has(number)) return [`the script has a file descriptor ${number} already`];
  descriptors.set(number, descriptor);
  return [];
}

/** The answer of a call that has made a descriptor: the script's number for it. */
function created(args: Arguments, context: CallContext, descriptor: Descriptor): ReturnType<Attempt["make"]> {
  const differences = register(args, context, descriptor);
  const { result } = args.call;
  return answer(
    done(result.kind === "ellipsis" ? 0 : args.numberOf(result, "a file descriptor")),
    differences,
  );
}

function prepareSocket(args: Arguments, context: CallContext): Attempt {
  const named = args.name(0, "a domain");
  const domain = named === "..." ? (context.config.isV4 ? "AF_INET" : "AF_INET6") : named;
  const types = args.names(1, "a type");
  const type = types.find((name) => !MODIFIERS.includes(name)) ?? args.fail("expected a type of socket");
  const protocol = args.name(2, "a protocol");
  return once(() => {
    const outcome = context.host.socket(domain, type, protocol === "..." ? "0" : protocol);
    if (outcome.kind !== "done") return outcome;
    const isNonBlocking = types.includes("SOCK_NONBLOCK");
    return created(args, context, new Descriptor(outcome.value, type === "SOCK_STREAM", isNonBlocking));
  });
}

const MODIFIERS = ["SOCK_NONBLOCK", "SOCK_CLOEXEC"];

function prepareBind(args: Arguments, context: CallContext): Attempt {
  const { host, config, flows } = context;
  const descriptor = descriptorOf(args, context);
  const to = args.address(1) ?? { address: config.local, port: config.bindPort };
  return once(() => {
    const outcome = host.bind(descriptor.fd, to);
    if (outcome.kind !== "done") return outcome;
    const remote = { address: config.remote, port: PEER_PORT };
    descriptor.flow = flows.begin(ownAddress(context, descriptor, to), remote);
    return answer(outcome);
  });
}

/** The address and port that packets of this socket come from. */
function ownAddress(
  { host, config }: CallContext,
  { fd }: Descriptor,
  fallback: SocketAddress,
): SocketAddress {
  const outcome = host.localAddress(fd);
  const { address, port } = outcome.kind === "done" ? outcome.detail : fallback;
  return { address: address.isUnspecified ? config.local : address, port };
}

function prepareListen(args: Arguments, context: CallContext): Attempt {
  const { fd } = descriptorOf(args, context);
  const backlog = args.number(1, "a backlog");
  return once(() => answer(context.host.listen(fd, backlog)));
}

function prepareAccept(args: Arguments, context: CallContext, flags: readonly string[]): Attempt {
  const { host, flows } = context;
  const listener = descriptorOf(args, context);
  return waiting(!listener.isNonBlocking, () => {
    const outcome = host.accept(listener.fd);
    if (outcome.kind !== "done") return outcome;
    const descriptor = new Descriptor(outcome.value, true, flags.includes("SOCK_NONBLOCK"));
    descriptor.isConnected = true;
    descriptor.flow = flows.current;
    const made = created(args, context, descriptor);
    const expected = args.length > 1 ? args.at(1, "an address") : args.call.result;
    const peer = [...addressDifferences(expected, outcome.detail, "peer")];
    return made.kind === "done" ? { ...made, detail: [...made.detail, ...peer] } : made;
  });
}

function prepareConnect(args: Arguments, context: CallContext): Attempt {
  const { host, config, flows } = context;
  const descriptor = descriptorOf(args, context);
  const isEnd = args.isUnspecified(1);
  const to = isEnd ? undefined : args.address(1) ?? { address: config.remote, port: config.connectPort };
  // A second call on a stream is about the same connection.
  let isBegun = descriptor.isStream && descriptor.isConnected;
  return waiting(!descriptor.isNonBlocking, () => {
    const outcome = host.connect(descriptor.fd, to);
    if (outcome.kind === "failed" || outcome.kind === "unsupported") return outcome;
    descriptor.isConnected = to !== undefined;
    if (to !== undefined && !isBegun) {
      const local = ownAddress(context, descriptor, flows.current.local);
      descriptor.flow = flows.begin(local, to);
      isBegun = true;
    }
    return answer(outcome);
  });
}

function prepareClose(args: Arguments, context: CallContext): Attempt {
  const descriptor = descriptorOf(args, context);
  const number = args.number(0, "a file descriptor");
  return once(() => {
    const outcome = context.host.close(descriptor.fd);
    if (outcome.kind === "done") {
      context.descriptors.delete(number);
      descriptor.flow?.finish();
    }
    return answer(outcome);
  });
}

function prepareControl(args: Arguments, context: CallContext): Attempt {
  const descriptor = descriptorOf(args, context);
  const command = args.name(1, "a command");
  const [readWrite, nonBlocking] = [constantNumber("O_RDWR")!, constantNumber("O_NONBLOCK")!];
  if (command === "F_GETFL") {
    return once(() => answer(done(readWrite | (descriptor.isNonBlocking ? nonBlocking : 0))));
  }
  if (command !== "F_SETFL") args.unsupported(`fcntl() with ${command}`);
  const flags = args.number(2, "flags");
  return once(() => {
    descriptor.isNonBlocking = (flags & nonBlocking) !== 0;
    return answer(done());
  });
}

function prepareQuery(args: Arguments, context: CallContext): Attempt {
  const { fd } = descriptorOf(args, context);
  const request = args.name(1, "a request");
  return once(() => {
    const outcome = context.host.query(fd, request);
    if (outcome.kind !== "done") return outcome;
    if (args.length < 3 || args.isAny(2)) return answer(outcome);
    const expected = args.element(2, "a number");
    const isEqual = expected === outcome.detail;
    return answer(outcome, isEqual ? [] : [`${request}: expected ${expected}, but it is ${outcome.detail}`]);
  });
}

function prepareGetOption(args: Arguments, context: CallContext): Attempt {
  const { fd } = descriptorOf(args, context);
  const [level, name] = [args.name(1, "a level"), args.name(2, "an option")];
  return once(() => {
    const outcome = context.host.getOption(fd, level, name);
    if (outcome.kind !== "done" || args.isAny(3)) return answer(outcome);
    const [expected, actual] = [optionText(args.option(3)), optionText(outcome.detail)];
    return answer(outcome, expected === actual ? [] : [`${name}: expected ${expected}, but it is ${actual}`]);
  });
}

function optionText(value: OptionValue): string {
  if (typeof value === "object") return `{onoff=${value.on}, linger=${value.seconds}}`;
  return String(typeof value === "string" ? errnoNumber(value) ?? value : value);
}

function prepareName(
  args: Arguments,
  context: CallContext,
  method: "localAddress" | "remoteAddress",
): Attempt {
  const { fd } = descriptorOf(args, context);
  const expected = args.at(1, "an address");
  return once(() => {
    const outcome = context.host[method](fd);
    if (outcome.kind !== "done") return outcome;
    return answer(outcome, [...addressDifferences(expected, outcome.detail, "address")]);
  });
}

/** Whatever is asked for, these are always told (POSIX poll). */
const ALWAYS = ["POLLERR", "POLLHUP", "POLLNVAL"];

function preparePoll(args: Arguments, context: CallContext): Attempt {
  const list = args.at(0, "an array of pollfd");
  if (list.kind !== "array") args.fail("expected an array of {fd=..., events=...}", list);
  const count = args.number(1, "a count");
  if (count !== list.items.length) {
    args.fail(`poll() is told of ${count} sockets, and given ${list.items.length}`);
  }
  const timeout = args.number(2, "a timeout");
  const deadline = timeout < 0 ? NEVER : context.now() + timeout * 1_000;
  return {
    mayWait: timeout !== 0,
    deadline,
    make: () => {
      const ready = list.items.map((item) => revents(args, context, item));
      const count = ready.filter(({ events }) => events.length > 0).length;
      if (count === 0 && context.now() < deadline) return { kind: "blocked", errno: "EAGAIN" };
      return answer(done(count), ready.flatMap(({ differences }) => differences));
    },
  };
}

function revents(
  args: Arguments,
  { host, descriptors }: CallContext,
  item: Expression,
): { readonly events: readonly string[]; readonly differences: readonly string[] } {
  if (item.kind !== "pollfd") args.fail("expected {fd=..., events=...}", item);
  const number = args.numberOf(item.fd, "a file descriptor");
  const descriptor = descriptors.get(number);
  const asked = [...args.namesOf(item.events, "events"), ...ALWAYS];
  const events = descriptor === undefined
    ? ["POLLNVAL"]
    : host.events(descriptor.fd).filter((event) => asked.includes(event));
  if (item.revents?.kind === "ellipsis") return { events, differences: [] };
  const expected = item.revents === undefined ? [] : args.namesOf(item.revents, "events");
  const [wanted, found] = [[...expected].sort().join("|") || "0", [...events].sort().join("|") || "0"];
  return {
    events,
    differences: wanted === found ? [] : [`fd ${number}: expected revents ${wanted}, but they are ${found}`],
  };
}
