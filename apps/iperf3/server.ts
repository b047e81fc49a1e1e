/** The server of iperf3: one test after another. */
import {
  type Binding,
  type Connection,
  EMPTY,
  FromBytes,
  type Instant,
  type Listener,
  NEVER,
  seconds,
  type TimedSender,
  type UdpRaw,
} from "../../mod.ts";
import { DataSink } from "./data.ts";
import { Leaving } from "./leaving.ts";
import { type Party, SILENT, type Watcher } from "./party.ts";
import { sameCookie, State } from "./protocol.ts";
import { ServerTest } from "./server-test.ts";

/** How long a connection has to say its cookie. */
const COOKIE_TIME: Instant = seconds(10);
/** How many may not have said it. */
const STRANGERS = 256;

/** What a server is to do. */
export interface ServerOptions {
  readonly port: number;
  /** The only family that is served; undefined: both are. */
  readonly family: 4 | 6 | undefined;
  /** Whether it ends behind the first test. */
  readonly oneOff: boolean;
  /** How often intervals are told; 0: never. */
  readonly interval: Instant;
}

/** What became of clients. */
export class ServerCounters {
  /** Tests that came to their end. */
  answered = 0;
  /** Tests that did not. */
  failed = 0;
  /** Clients that came during a test of others. */
  busy = 0;
  /** Connections that said no cookie, or none in time. */
  strangers = 0;
}

/** A connection that has not said its cookie. */
interface Stranger {
  readonly sink: DataSink;
  readonly until: Instant;
}

/** A server. It is a sender of datagrams, whose deadline is that of all that it does; `tick` is called each cycle. */
export class Server implements TimedSender<UdpRaw> {
  readonly counters: ServerCounters = new ServerCounters();
  readonly #party: Party;
  readonly #options: ServerOptions;
  readonly #watcher: Watcher;
  readonly #listener: Listener;
  readonly #binding: Binding;
  readonly #leaving = new Leaving();
  readonly #strangers = new Map<Connection, Stranger>();
  #test: ServerTest | undefined;
  #isStopped = false;

  /** Listens. Throws a RangeError if somebody else has the port. */
  constructor(party: Party, options: ServerOptions, watcher: Watcher = SILENT) {
    this.#party = party;
    this.#options = options;
    this.#watcher = watcher;
    const { port } = options;
    const listener = party.tcp.listen({ port, backlog: STRANGERS }, (connection) => this.#accept(connection));
    const binding = party.udp.bind({ port }, (packet) => this.#test?.datagram(packet));
    if (listener === undefined || binding === undefined) throw new RangeError(`port ${port} is taken`);
    this.#listener = listener;
    this.#binding = binding;
  }

  /** Whether it has ended: nothing is left to be done. */
  get isDone(): boolean {
    return this.#isStopped && this.#leaving.size === 0;
  }

  /** Does what is due. */
  tick(now: Instant): void {
    this.#test?.tick(now);
    this.#settle();
    this.#leaving.tick(now);
    for (const [connection, { until }] of this.#strangers) {
      if (now < until) break;
      this.#lose(connection);
    }
  }

  /** When something will be. */
  deadline(): Instant {
    let next = Math.min(this.#leaving.deadline(), this.#test?.deadline() ?? NEVER);
    for (const { until } of this.#strangers.values()) {
      next = Math.min(next, until);
      break;
    }
    return next;
  }

  /** Fills a datagram, if one is due. */
  send(raw: UdpRaw): void {
    this.#test?.turns.fill(raw, this.#party.now());
  }

  /** Takes no more clients, and tells the present one. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#listener.close();
    this.#binding.close();
    this.#test?.stop();
    this.#settle();
    for (const connection of [...this.#strangers.keys()]) this.#lose(connection);
  }

  #accept(connection: Connection) {
    const { family } = this.#options;
    if (this.#isStopped || (family !== undefined && connection.local.isV4 !== (family === 4))) {
      return undefined;
    }
    // As iperf3 does it: during a test the cookie of who comes is of no interest.
    if (this.#test !== undefined && !this.#test.wantsConnections) {
      connection.receiveBuffer = new DataSink(true);
      this.#deny(connection);
      return connection.handler;
    }
    const sink = new DataSink(true);
    connection.receiveBuffer = sink;
    connection.sendBuffer = EMPTY;
    this.#strangers.set(connection, { sink, until: this.#party.now() + COOKIE_TIME });
    const [first] = this.#strangers.keys();
    if (this.#strangers.size > STRANGERS && first !== undefined) this.#lose(first);
    return {
      readable: () => this.#identify(connection, sink),
      peerClosed: () => this.#lose(connection),
      closed: () => {
        if (this.#strangers.delete(connection)) this.counters.strangers++;
      },
    };
  }

  #identify(connection: Connection, sink: DataSink): void {
    if (!sink.isIdentified) return;
    this.#strangers.delete(connection);
    const test = this.#test;
    if (test === undefined) {
      this.#watcher.met(connection.remote, connection.remotePort);
      this.#test = new ServerTest(connection, sink.cookie, {
        party: this.#party,
        watcher: this.#watcher,
        leaving: this.#leaving,
        interval: this.#options.interval,
      });
    } else if (test.wantsConnections && sameCookie(test.cookie, sink.cookie)) test.join(connection, sink);
    else this.#deny(connection);
  }

  #deny(connection: Connection): void {
    this.counters.busy++;
    connection.sendBuffer = new FromBytes(Uint8Array.of(State.AccessDenied));
    this.#leaving.add(connection, this.#party.now());
  }

  #lose(connection: Connection): void {
    if (!this.#strangers.delete(connection)) return;
    this.counters.strangers++;
    connection.abort();
  }

  /** A test that has ended makes room for the next one. */
  #settle(): void {
    const test = this.#test;
    if (test?.success === undefined) return;
    this.#test = undefined;
    if (test.success) this.counters.answered++;
    else this.counters.failed++;
    if (this.#options.oneOff && test.isAgreed) this.stop();
  }
}
