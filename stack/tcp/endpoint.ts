/**
 * TCP (RFC 9293): the connections of a host, its listeners, and what becomes of segments that belong to none.
 *
 * @module
 */
import { type Receive, type Receiver, receiver, type TimedSender } from "../handler.ts";
import type { NicInfo, Slot } from "../slot.ts";
import type { IcmpIn } from "../icmp/packet.ts";
import type { IpIn, IpRaw } from "../ip/packet.ts";
import type { PathMtus } from "../ip/path-mtu.ts";
import { settle } from "../store/settle.ts";
import { type Instant, NEVER } from "../store/time.ts";
import type { Address } from "../wire/address.ts";
import { ChallengeLimiter } from "./challenge.ts";
import { Clock } from "./clock.ts";
import type { ConnectOptions } from "./connect-options.ts";
import { CloseReason, Connection, TransmitTimer } from "./connection.ts";
import { SynCookies } from "./cookies.ts";
import { congestionMaker } from "./congestion/choice.ts";
import { TcpCounters } from "./counters.ts";
import { type TcpOptions, type TcpSettings, withDefaults } from "./endpoint-options.ts";
import { ErrorReceiver } from "./errors.ts";
import { GrowthBudget } from "./growth-budget.ts";
import { offer, start } from "./handshake.ts";
import { type ConnectionInfo, infoOf } from "./info.ts";
import { initialSequence } from "./isn.ts";
import { type Accept, Listener, type ListenOptions } from "./listener.ts";
import { MIN_MSS } from "./options.ts";
import { mssOfPath } from "./path-mss.ts";
import { EphemeralPorts } from "./ports.ts";
import { RateSampler } from "./rate.ts";
import { TcpReceiver } from "./receive.ts";
import { RunReceiver, SegmentRun } from "./run.ts";
import { TcpSender } from "./send.ts";
import type { SipKey } from "../store/siphash.ts";
import { ConnectionState } from "./state.ts";
import { ConnectionTable } from "./table.ts";
import { onTimer, TimerKind } from "./timers.ts";
import { TimeWait } from "./time-wait.ts";
import type { FourTuple } from "./tuple.ts";
import { receiveWindow } from "./window.ts";

export type { ConnectOptions } from "./connect-options.ts";
export type { TcpOptions, TcpSettings } from "./endpoint-options.ts";

const IPV4_HEADERS = 40;
const IPV6_HEADERS = 60;

/** The TCP side of a host. */
export class Tcp {
  /** What passed and what was dropped. */
  readonly counters: TcpCounters = new TcpCounters();
  /** Hops that segments may make; undefined: IP's default, 64, or what a router advises for IPv6. */
  hopLimit: number | undefined;
  /**
   * The challenge ACKs that may still be sent.
   *
   * @internal
   */
  readonly challenges: ChallengeLimiter;
  /**
   * What answers SYNs when nothing more can be kept.
   *
   * @internal
   */
  readonly synCookies: SynCookies;
  /**
   * Ended connections that wait for stray segments.
   *
   * @internal
   */
  readonly timeWaits: TimeWait;
  /**
   * Living connections.
   *
   * @internal
   */
  readonly connections: ConnectionTable;
  /**
   * Segments in a row that are taken as one.
   *
   * @internal
   */
  readonly run: SegmentRun = new SegmentRun();
  /**
   * What buffers may still grow by.
   *
   * @internal
   */
  readonly growth: GrowthBudget;
  /**
   * The time of the present burst.
   *
   * @internal
   */
  readonly clock: Clock = new Clock();
  /**
   * What is known of paths by the IP layer that segments are sent through; undefined: none was sent yet.
   *
   * @internal
   */
  pathMtus: PathMtus | undefined = undefined;
  /** What it was set up with. */
  readonly options: TcpSettings;
  readonly #listeners = new Map<number, Listener[]>();
  readonly #ports: EphemeralPorts;

  /** An endpoint without connections. */
  constructor(options: TcpOptions) {
    this.options = withDefaults(options);
    const { connections, secret, bufferGrowth } = this.options;
    this.growth = new GrowthBudget(bufferGrowth);
    this.hopLimit = options.hopLimit;
    this.connections = new ConnectionTable(
      connections,
      [secret[0], secret[1]],
      onTimer,
    );
    this.timeWaits = new TimeWait(this.options.timeWaits, secret);
    this.challenges = new ChallengeLimiter(1_000, secret);
    this.synCookies = new SynCookies(secret);
    this.#ports = new EphemeralPorts(secret);
    settle(() => new Connection(this));
    settle(congestionMaker(this.options.congestion));
    settle(() => new RateSampler({}));
  }

  /** The host's secret. */
  get secret(): SipKey {
    return this.options.secret;
  }

  /** The clock of the present burst. */
  get now(): Instant {
    return this.clock.now;
  }

  /** A receiver for IP. Segments that belong to no connection and no listener are answered with RST. */
  recv(): Receiver<IpIn> {
    return new TcpReceiver(this);
  }

  /**
   * A place before the tree of a NIC that joins no segments by itself: what comes of one connection in a row is taken as
   * one. `tree` is what {@linkcode Tcp.recv} stands in; the endpoint must send through the same NIC.
   *
   * ```ts ignore
   * nic.rx(64, tcp.joining(eth.recv(ip.recv(protocols({ tcp: tcp.recv() })))));
   * ```
   */
  joining(tree: Receiver<Slot>): Receiver<Slot> {
    return new RunReceiver(this.run, tree);
  }

  /** A receiver for `icmp.recv`: takes ICMP errors about segments in flight, and hands the rest to `upper`. */
  errors(upper?: Receive<IcmpIn>): Receiver<IcmpIn> {
    return new ErrorReceiver(this, upper === undefined ? undefined : receiver(upper));
  }

  /** A sender for IP. */
  send(): TimedSender<IpRaw> {
    return new TcpSender(this, this.connections);
  }

  /** Listens on a port; undefined: another listener has it. */
  listen(options: ListenOptions, accept: Accept): Listener | undefined {
    const { port, address } = options;
    if (!Number.isInteger(port) || port < 1 || port > 0xffff) {
      throw new RangeError(`a TCP port is a whole number from 1 to 65535, not ${port}`);
    }
    const listeners = this.#listeners.get(port) ?? [];
    const isTaken = listeners.some((other) =>
      other.address === undefined || address === undefined
        ? other.address === address
        : other.address.equals(address)
    );
    if (isTaken) return undefined;
    const listener = new Listener(options, accept, (closed) => this.#unlisten(closed));
    this.#listeners.set(port, [...listeners, listener]);
    return listener;
  }

  /** Who listens for peers at an own address and port. */
  listenerFor(address: Address, port: number): Listener | undefined {
    const listeners = this.#listeners.get(port);
    if (listeners === undefined) return undefined;
    let any: Listener | undefined;
    for (let index = 0; index < listeners.length; index++) {
      const listener = listeners[index]!;
      if (listener.address === undefined) any = listener;
      else if (listener.address.equals(address)) return listener;
    }
    return any;
  }

  /** Opens a connection. Undefined: no slot or no port is free, the 4-tuple is taken, or the address is no host's. */
  connect(options: ConnectOptions): Connection | undefined {
    // RFC 9293 3.9.2.3, MUST-46: nobody connects to a group.
    if (!options.address.isUnicast) return undefined;
    const c = new Connection(this);
    c.local.copy(options.localAddress);
    c.remote.copy(options.address);
    c.remotePort = options.port;
    const port = options.localPort ?? this.#freePort(c);
    if (port === undefined) return undefined;
    c.localPort = port;
    if (this.timeWaits.find(c.local, c.localPort, c.remote, c.remotePort) >= 0) return undefined;
    c.isActive = true;
    c.handler = options.handler;
    c.sendBuffer = options.sendBuffer;
    c.receiveBuffer = options.receiveBuffer;
    offer(this, c);
    c.state = ConnectionState.SynSent;
    return start(this, c, initialSequence(c, this.secret, this.now)) ? c : undefined;
  }

  /** A connection is over: its slot is free, its user is told why. */
  end(c: Connection, reason: CloseReason): void {
    if (c.index < 0) return;
    if (c.listener !== undefined) {
      c.listener.halfOpen--;
      c.listener = undefined;
    }
    this.connections.remove(c);
    this.growth.release(c);
    c.state = ConnectionState.Closed;
    c.handler.closed?.(c, reason);
  }

  /** Both sides have closed, and ours was the first: a few words stay behind for 2 MSL. */
  timeWait(c: Connection): void {
    if (c.index < 0) return;
    this.timeWaits.add(c, receiveWindow(c), this.now);
    // The peer's FIN is acknowledged before the connection goes, if it was not yet.
    if (c.ackNow) {
      c.lastWords = true;
      this.connections.ready(c);
    } else this.end(c, CloseReason.Finished);
  }

  /** The user wants no more to be sent. */
  closing(c: Connection): void {
    if (c.state === ConnectionState.SynSent) this.end(c, CloseReason.Finished);
    else this.wants(c);
  }

  /** The user has let go of a connection: what the peer still sends is nobody's. */
  orphan(c: Connection): void {
    if (c.isOrphan) return;
    c.isOrphan = true;
    // Users call between bursts, when the clock may have stood still for long: the wait begins with the next one.
    if (c.state === ConnectionState.FinWait2) this.arm(c, TimerKind.Life, this.now);
  }

  /** Switches a connection's keepalive probes on or off (RFC 1122 4.2.3.6). */
  keepAlive(c: Connection, on: boolean): void {
    c.keepAlive = on;
    c.keepAliveProbes = 0;
    if (on && !c.isOrphan) this.arm(c, TimerKind.Life, this.now + c.keepAliveIdle);
  }

  /** Ends a connection at once. The peer hears of it by RST, if it knows of the connection at all. */
  abort(c: Connection): void {
    if (c.index < 0 || c.rstWanted) return;
    // RFC 9293 3.10.5: a peer that never heard of the connection, or has closed it too, needs no reset.
    if (c.state === ConnectionState.SynSent || c.state >= ConnectionState.Closing || c.lastWords) {
      this.end(c, CloseReason.Aborted);
      return;
    }
    c.rstWanted = true;
    this.arm(c, TimerKind.Transmit, NEVER);
    c.transmitTimer = TransmitTimer.None;
    this.counters.resets++;
    this.connections.ready(c);
  }

  /** What is known of every connection, for tools; those in TIME-WAIT are only counted, by `timeWaits.size`. */
  *list(): Generator<ConnectionInfo> {
    for (const c of this.connections) yield infoOf(c);
  }

  /**
   * Ends all connections on an own address, which is about to go, and answers how many there still are: those whose peer
   * is yet to be told by RST. Without `tell`, once the address is gone, they end without a word.
   */
  abortOn(local: Address, tell: boolean = true): number {
    let left = 0;
    for (const c of this.connections) {
      if (!c.local.equals(local)) continue;
      if (tell) this.abort(c);
      else this.end(c, CloseReason.Aborted);
      if (c.index >= 0) left++;
    }
    return left;
  }

  /** A connection's last segment has left. */
  forget(c: Connection): void {
    this.end(c, c.rstWanted ? CloseReason.Aborted : CloseReason.Finished);
  }

  /** Puts a connection in line to send. */
  wants(c: Connection): void {
    this.connections.ready(c);
  }

  /** Arms a connection's timer; NEVER cancels it. */
  arm(c: Connection, kind: number, at: Instant): void {
    this.connections.arm(c, kind, at);
  }

  /** Time has come to `now`. */
  tick(now: Instant): void {
    this.clock.set(now);
    this.#advance();
  }

  /** Time has come to what a NIC's clock shows. */
  follow(nic: Pick<NicInfo, "timestamp">): void {
    this.clock.follow(nic);
    this.#advance();
  }

  /**
   * The largest segment that the own link takes: what a SYN announces (RFC 9293 3.7.1).
   *
   * @internal
   */
  ownMss(c: FourTuple): number {
    const { isV4 } = c.local;
    const link = this.pathMtus?.linkMtu(isV4) ?? Infinity;
    return Math.min(this.options.mtu, link) - (isV4 ? IPV4_HEADERS : IPV6_HEADERS);
  }

  /** A segment was too long for the link or its path: that takes less than was thought. */
  tooLong(c: Connection): void {
    const known = this.pathMtus === undefined
      ? Infinity
      : mssOfPath(c, this.pathMtus.get(c.remote, this.clock.now));
    const mss = known < c.sndMss ? known : Math.floor(c.sndMss / 2);
    c.sndMss = Math.max(MIN_MSS, mss);
    c.control.setMss(c.sndMss);
  }

  #advance(): void {
    this.connections.advance(this.clock);
    this.timeWaits.advance(this.clock);
  }

  #unlisten(listener: Listener): void {
    const rest = (this.#listeners.get(listener.port) ?? []).filter((other) => other !== listener);
    if (rest.length === 0) this.#listeners.delete(listener.port);
    else this.#listeners.set(listener.port, rest);
    for (const c of this.connections) {
      if (c.listener === listener) this.abort(c);
    }
  }

  #freePort(c: Connection): number | undefined {
    return this.#ports.take(
      c,
      (port) =>
        this.connections.find(c.local, port, c.remote, c.remotePort) === undefined &&
        this.timeWaits.find(c.local, port, c.remote, c.remotePort) < 0 && !this.#listeners.has(port),
    );
  }
}
