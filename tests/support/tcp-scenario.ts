/** One transfer between two hosts under chosen faults, and what must hold of it whatever they are. */
import { CONGESTION_CONTROLS, type CongestionName } from "../../stack/tcp/congestion/choice.ts";
import { CloseReason } from "../../stack/tcp/connection.ts";
import * as ipv6 from "../../stack/wire/ipv6.ts";
import { type Faults, milliseconds, Network, type NetworkEvent, Random, seconds } from "../../mod.ts";
import { type Pace, PacedUser } from "./paced-user.ts";
import { fc } from "./property.ts";
import { connectWith, listenWith, type TcpHost, tcpHost } from "./tcp.ts";
import { broken } from "./tcp-invariants.ts";

/** What one side of a transfer does. */
export interface Side extends Pace {
  /** How many bytes it sends. */
  readonly bytes: number;
  /** The limits of its buffers: powers of two from 4,096. */
  readonly sendBuffer: number;
  readonly receiveBuffer: number;
  /** Whether it closes only when the peer has. */
  readonly closesLast: boolean;
}

/** A whole scenario: it is plain data, so that a failure can be printed and repeated. */
export interface Scenario {
  readonly seed: number;
  /** Shares of frames, the same both ways. */
  readonly loss: number;
  readonly duplicate: number;
  readonly reorder: number;
  readonly corrupt: number;
  /** Microseconds one way. */
  readonly delay: number;
  readonly jitter: number;
  /** Bits a second; 0: any number. */
  readonly rate: number;
  /** Frames that may wait. */
  readonly queue: number;
  /** Waiting frames from which on packets are marked; -1: never. */
  readonly mark: number;
  readonly mtu: number;
  /** What the client and the server would use. */
  readonly sack: readonly [boolean, boolean];
  readonly timestamps: readonly [boolean, boolean];
  readonly windowScale: readonly [boolean, boolean];
  /** Whose NIC cuts segments, so that TCP hands down many in one. */
  readonly supers: readonly [boolean, boolean];
  readonly ecn: boolean;
  readonly congestion: CongestionName;
  readonly noDelay: boolean;
  /** Over IPv6; absent: over IPv4. */
  readonly ipv6?: boolean;
  /** The most that the client and the server offer, down to a few bytes; absent: what their buffers hold. */
  readonly windows?: readonly [number, number];
  /** Whether both probe a peer that is silent for a second, unless more than 5 % is lost. */
  readonly keepAlive?: boolean;
  /** Microseconds after which cork and Nagle's rule change over and over; absent or 0: never. */
  readonly toggle?: number;
  readonly client: Side;
  readonly server: Side;
}

const share = (most: number) =>
  fc.oneof(
    { arbitrary: fc.constant(0), weight: 3 },
    {
      arbitrary: fc.integer({ min: 1, max: 100 }).map((part) => Math.round(part * most * 10) / 1_000),
      weight: 2,
    },
  );

const side: fc.Arbitrary<Side> = fc.record({
  bytes: fc.oneof(
    { arbitrary: fc.integer({ min: 0, max: 3_000 }), weight: 2 },
    { arbitrary: fc.integer({ min: 0, max: 60_000 }), weight: 3 },
    { arbitrary: fc.integer({ min: 0, max: 250_000 }), weight: 1 },
  ),
  sendBuffer: fc.constantFrom(4_096, 16_384, 65_536, 1 << 18),
  receiveBuffer: fc.constantFrom(4_096, 8_192, 65_536, 1 << 18),
  writeChunk: fc.constantFrom(0, 0, 0, 700, 10_000),
  writePause: fc.constantFrom(1_000, 50_000, 700_000),
  readChunk: fc.constantFrom(0, 0, 0, 900, 4_096, 30_000),
  readPause: fc.constantFrom(1_000, 50_000, 1_500_000),
  closesLast: fc.boolean(),
});

const both: fc.Arbitrary<readonly [boolean, boolean]> = fc.constantFrom(
  [true, true],
  [true, true],
  [true, true],
  [false, true],
  [true, false],
  [false, false],
);

const UNLIMITED = 1 << 20;

/** What a peer offers at most: anything, or so little that each segment carries a few bytes. */
const anyWindow: fc.Arbitrary<number> = fc.oneof(
  fc.constant(UNLIMITED),
  fc.integer({ min: 1, max: 10 }),
  fc.integer({ min: 11, max: 3_000 }),
);

/** Any scenario. */
export const anyScenario: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.integer(),
  loss: share(0.2),
  duplicate: share(0.1),
  reorder: share(0.2),
  corrupt: share(0.05),
  delay: fc.constantFrom(50, 1_000, 20_000, 150_000),
  jitter: fc.constantFrom(0, 0, 500, 10_000),
  rate: fc.constantFrom(0, 200_000, 1_000_000, 10_000_000, 100_000_000),
  queue: fc.constantFrom(3, 10, 50, 100),
  mark: fc.constantFrom(-1, -1, 0, 2),
  mtu: fc.constantFrom(1_500, 1_500, 576, 296),
  sack: both,
  timestamps: both,
  windowScale: both,
  supers: both,
  ecn: fc.boolean(),
  congestion: fc.constantFrom(...CONGESTION_CONTROLS),
  noDelay: fc.boolean(),
  ipv6: fc.boolean(),
  windows: fc.oneof(
    { arbitrary: fc.constant<readonly [number, number]>([UNLIMITED, UNLIMITED]), weight: 4 },
    { arbitrary: fc.tuple(anyWindow, anyWindow), weight: 1 },
  ),
  keepAlive: fc.boolean(),
  toggle: fc.constantFrom(0, 0, 0, 5_000, 300_000),
  client: side,
  server: side,
}).map((scenario) => // A window of a few bytes is for a few bytes of data, or the test would take hours.
({
  ...scenario,
  client: { ...scenario.client, bytes: Math.min(scenario.client.bytes, 60 * scenario.windows[1]) },
  server: { ...scenario.server, bytes: Math.min(scenario.server.bytes, 60 * scenario.windows[0]) },
})).map((scenario) =>
  scenario.client.closesLast && scenario.server.closesLast
    ? { ...scenario, server: { ...scenario.server, closesLast: false } }
    : scenario
).map((scenario) =>
  // RFC 8200 5: no link of IPv6 takes less.
  scenario.ipv6 ? { ...scenario, mtu: Math.max(ipv6.MTU_MIN, scenario.mtu) } : scenario
);

/** What a run came to. */
export interface Outcome {
  /** When both ends were closed. */
  readonly closedAt: number;
  /** By when they had to be. */
  readonly bound: number;
  /** Segments that both hosts sent. */
  readonly segments: number;
}

/** The first timeout is a second, later ones of 200 ms and more. */
const LEAST_TIMEOUT = milliseconds(250);
const LONG_TIMEOUT = seconds(40);
const LONGEST_TIMEOUT = seconds(120);

/** By when a transfer must be over, from what there is to send and what goes wrong. */
export function boundOf(s: Scenario): number {
  const { client, server } = s;
  // Headers of 100 bytes, and of each segment some are lost and some must be sent again.
  const segment = s.mtu - 100;
  const waits = s.rate > 0 ? (s.queue + 2) * (s.mtu + 18) * 8e6 / s.rate : 0;
  // What is held back waits up to 10 ms; acknowledgments up to 40.
  const roundTrip = 2 * (s.delay + s.jitter + waits + 10_000) + 40_000;
  const [clientWindow, serverWindow] = s.windows ?? [UNLIMITED, UNLIMITED];
  const window = (from: Side, to: Side) => {
    const offered = to === client ? clientWindow : serverWindow;
    const most = Math.max(segment, Math.min(from.sendBuffer, to.receiveBuffer) / 2);
    return Math.min(most, Math.max(1, offered / 2));
  };
  let bound = seconds(10) + 20 * roundTrip;
  // Without timestamps the timeout stays as long as it has become until something arrives that was sent once (Karn).
  const isSure = s.timestamps[0] && s.timestamps[1];
  const bad = s.loss + s.corrupt + (s.rate > 0 ? 0.1 : 0);
  for (const [from, to] of [[client, server], [server, client]] as const) {
    const segments = Math.ceil(from.bytes / Math.min(segment, window(from, to))) + 3;
    bound += 3 * Math.ceil(from.bytes / window(from, to)) * roundTrip;
    if (s.rate > 0) bound += 3 * segments * s.mtu * 8e6 / s.rate;
    bound += pauses(from.bytes, from.writeChunk, from.writePause);
    // While the reader pauses, the window may be closed, and then probes find out when it is not.
    bound += 3 * pauses(from.bytes, Math.min(to.readChunk, to.receiveBuffer / 2), to.readPause);
    bound += segments * bad * (6 * (LEAST_TIMEOUT + 3 * roundTrip) + (isSure ? 0 : LONG_TIMEOUT));
  }
  // Where much is lost, so are ten tries in a row, sooner or later, and the timeout grows to its longest.
  if (s.loss + s.corrupt > 0.02) return bound + (isSure ? 12 : 30) * LONGEST_TIMEOUT + 400 * roundTrip;
  return bound + (bad > 0.02 ? LONGEST_TIMEOUT : 0);
}

/** At more loss no idle peer is probed. */
const MOST_LOSS_PROBED = 0.05;

function pauses(bytes: number, chunk: number, pause: number): number {
  return chunk === 0 ? 0 : Math.ceil(bytes / chunk) * (pause + 1_000);
}

/** Runs a scenario to its end. Throws an Error that says what is wrong and when, and how to see it again. */
export function runScenario(s: Scenario, trace?: (event: NetworkEvent) => void): Outcome {
  const network = new Network({ seed: s.seed, frames: 512, turns: Infinity, ...(trace && { trace }) });
  const hosts = [host(network, s, 0), host(network, s, 1)] as const;
  const [client, server] = hosts;
  // Where a fifth is lost each way, all nine probes of one silence are by chance once in 100,000 scenarios.
  const keepAlive = s.keepAlive === true && s.loss <= MOST_LOSS_PROBED;
  const manner = { noDelay: s.noDelay, keepAlive, toggle: s.toggle ?? 0 };
  const clientUser = new PacedUser(network, s.client, manner);
  const serverUser = new PacedUser(network, s.server, manner);
  const accepted = listenWith(server, 7, () => serverUser);
  connectWith(client, server, 7, clientUser);
  let wrong: string | undefined;
  const isOver = () => {
    for (const { tcp } of hosts) wrong ??= broken(tcp, network.now);
    const isServed = accepted.length > 0 || server.tcp.connections.size > 0;
    return wrong !== undefined ||
      clientUser.reason !== undefined && (!isServed || serverUser.reason !== undefined);
  };
  const bound = boundOf(s);
  const inTime = network.runUntil(isOver, bound);
  const closedAt = network.now;
  if (wrong === undefined && !inTime) wrong = "not over in time";
  wrong ??= accepted.length === 0 ? wrongAttempt(s, clientUser) : wrongPair(s, clientUser, serverUser);
  if (wrong === undefined && accepted.length > 1) wrong = `accepted ${accepted.length} connections`;
  // What closed first waits for 2 MSL; then nothing at all may be left, neither state nor frames nor timers.
  if (wrong === undefined) {
    network.run(closedAt + seconds(130));
    wrong = leak(network, hosts);
  }
  if (wrong !== undefined) {
    const users = `client ${clientUser.describe()}; server ${serverUser.describe()}`;
    throw new Error(`at ${network.now} us of at most ${Math.round(bound)}: ${wrong}; ${users}\n${replay(s)}`);
  }
  const segments = client.tcp.counters.sent + server.tcp.counters.sent;
  return { closedAt, bound, segments };
}

/** How to run a scenario alone, with a trace. */
export function replay(s: Scenario): string {
  return `deno task sim --replay '${JSON.stringify(s)}'`;
}

function host(network: Network, s: Scenario, index: 0 | 1): TcpHost {
  const random = new Random(s.seed + index);
  const egress: Faults = { loss: s.loss, duplicate: s.duplicate, reorder: s.reorder, corrupt: s.corrupt };
  const ingress: Faults = {
    delay: s.delay,
    jitter: s.jitter,
    ...(s.rate > 0 && { rate: s.rate, queue: s.queue, ...(s.mark >= 0 && { ecn: s.mark }) }),
  };
  return tcpHost(network, index + 1, { ingress, egress, supers: s.supers[index] }, {
    secret: [random.next(), random.next(), random.next(), random.next()],
    connections: 4,
    // However unlucky it is, no transfer is given up.
    userTimeout: seconds(100_000),
    timeWaits: 4,
    mtu: s.mtu,
    ecn: s.ecn,
    sack: s.sack[index],
    timestamps: s.timestamps[index],
    windowScale: s.windowScale[index],
    congestion: s.congestion,
    ...(s.windows === undefined ? {} : { receiveWindow: s.windows[index] }),
  }, s.ipv6 ?? false);
}

/** Where much is lost, all of the seven SYNs may be, or all answers: then the attempt is given up. */
function wrongAttempt(s: Scenario, user: PacedUser): string | undefined {
  if (s.loss + s.corrupt < 0.05) return "never opened";
  const isGivenUp = user.reason === CloseReason.TimedOut || user.reason === CloseReason.Reset;
  return isGivenUp ? undefined : `client: an attempt ended for reason ${user.reason}`;
}

function wrongPair(s: Scenario, client: PacedUser, server: PacedUser): string | undefined {
  return wrongUser("client", client, server, s.server.bytes) ??
    wrongUser("server", server, client, s.client.bytes);
}

function wrongUser(name: string, user: PacedUser, other: PacedUser, expected: number): string | undefined {
  if (user.wrong > 0) return `${name}: ${user.wrong} wrong bytes`;
  if (user.received !== expected) return `${name}: ${user.received} of ${expected} bytes received`;
  if (!user.peerHasClosed) return `${name}: never heard that its peer closed`;
  // The end that is lost for longer than TIME-WAIT lasts is answered with a reset, which may be lost as well: the peer
  // has everything, and has forgotten it.
  const isLate = user.reason === CloseReason.Reset || user.reason === CloseReason.TimedOut;
  if (isLate && other.reason === CloseReason.Finished) return undefined;
  if (user.reason !== CloseReason.Finished) return `${name}: closed for reason ${user.reason}`;
  return user.send.length > 0 ? `${name}: ${user.send.length} bytes never acknowledged` : undefined;
}

/** What is left behind after the end; undefined: nothing. */
export function leak(network: Network, hosts: readonly TcpHost[]): string | undefined {
  for (const { tcp, port } of hosts) {
    // A host that sleeps does not wake for the end of TIME-WAIT.
    tcp.tick(network.now);
    const { connections, timeWaits } = tcp;
    if (connections.size > 0) return `${port.name}: ${connections.size} connections left`;
    if (timeWaits.size > 0) return `${port.name}: ${timeWaits.size} entries in TIME-WAIT left`;
    if (port.sendDeadline() !== Infinity) return `${port.name}: still waits for ${port.sendDeadline()} us`;
  }
  const { available, slots } = network.pool;
  return available === slots.length ? undefined : `${slots.length - available} frames leaked`;
}
