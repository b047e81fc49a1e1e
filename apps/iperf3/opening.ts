/** How a client opens a test's streams: the server gives them their numbers as they come, so one follows the other. */
import type { Address, CloseReason } from "../../mod.ts";
import { DataSink, DataSource } from "./data.ts";
import { directions, type Parameters } from "./parameters.ts";
import type { Party } from "./party.ts";
import type { DataStream } from "./stream.ts";
import { TcpStream } from "./tcp-stream.ts";
import { UdpStream } from "./udp-stream.ts";
import { UdpTurns } from "./udp-turns.ts";

/** Where streams go to. */
export interface Target {
  readonly address: Address;
  readonly port: number;
  /** The own address. */
  readonly local: Address;
}

/** Is told of streams that come to nothing. */
export interface OpeningWatcher {
  /** There is no port for one. */
  readonly refused: () => void;
  /** The server has closed one. */
  readonly ended: () => void;
  /** One is gone. */
  readonly closed: (reason: CloseReason) => void;
}

/** The streams of a client. */
export class Opening {
  /** Those that were asked for so far. */
  readonly streams: DataStream[] = [];
  readonly turns: UdpTurns = new UdpTurns();
  readonly #party: Party;
  readonly #target: Target;
  readonly #cookie: Uint8Array;
  readonly #parameters: Parameters;
  readonly #watcher: OpeningWatcher;
  readonly #directions: readonly boolean[];
  #isRefused = false;

  /** Opens none before it is asked to. */
  constructor(
    party: Party,
    target: Target,
    cookie: Uint8Array,
    parameters: Parameters,
    watcher: OpeningWatcher,
  ) {
    this.#party = party;
    this.#target = target;
    this.#cookie = cookie;
    this.#parameters = parameters;
    this.#watcher = watcher;
    this.#directions = directions(parameters, true);
  }

  /** Whether all have been asked for. */
  get isAsked(): boolean {
    return this.streams.length === this.#directions.length;
  }

  /** Whether all are there. */
  get isComplete(): boolean {
    return this.isAsked && this.streams.every(({ isOpen }) => isOpen);
  }

  /** Opens the next one, if the one before is there. */
  next(): void {
    if (this.isAsked || this.#isRefused || this.streams.at(-1)?.isOpen === false) return;
    const sends = this.#directions[this.streams.length]!;
    const stream = this.#parameters.protocol === "tcp" ? this.#connect(sends) : this.#bind(sends);
    if (stream !== undefined) return void this.streams.push(stream);
    this.#isRefused = true;
    this.#watcher.refused();
  }

  #bind(sends: boolean): UdpStream | undefined {
    const { address, port, local } = this.#target;
    const ends = { local, localPort: 0, peer: { address, port }, isClient: true };
    const stream = UdpStream.open(this.#party.udp, ends, sends, this.#parameters);
    if (stream !== undefined) this.turns.streams.push(stream);
    return stream;
  }

  #connect(sends: boolean): TcpStream | undefined {
    const { address, port, local } = this.#target;
    const source = new DataSource(this.#cookie), sink = new DataSink(false);
    const connection = this.#party.tcp.connect({
      address,
      port,
      localAddress: local,
      sendBuffer: source,
      receiveBuffer: sink,
      handler: {
        opened: (connection) => {
          connection.flush();
          this.next();
        },
        peerClosed: (connection) => {
          connection.close();
          this.#watcher.ended();
        },
        closed: (_, reason) => this.#watcher.closed(reason),
      },
    });
    return connection && new TcpStream(connection, sends, source, sink, this.#parameters);
  }
}
