/** A test as the server sees it, from a client's cookie to its end. */
import { type Connection, type ConnectionHandler, type Instant, seconds, type UdpIn } from "../../mod.ts";
import { Address } from "../../mod.ts";
import { Control, GARBLED } from "./control.ts";
import { type DataSink, DataSource } from "./data.ts";
import * as datagram from "./datagram.ts";
import { Leaving } from "./leaving.ts";
import { Measure } from "./measure.ts";
import { directions, type Parameters, PARAMETERS_MAX, readParameters } from "./parameters.ts";
import { congestionOf, finalRows, Load, type Party, type Watcher } from "./party.ts";
import { State, Wrong, wrongText } from "./protocol.ts";
import { readResults, type Results, RESULTS_MAX, resultsObject } from "./results.ts";
import { Stillness } from "./stillness.ts";
import type { DataStream } from "./stream.ts";
import { TcpStream } from "./tcp-stream.ts";
import { UdpStream } from "./udp-stream.ts";
import { UdpTurns } from "./udp-turns.ts";

/** How long a client has for each step that is not the test itself. */
const STEP: Instant = seconds(30);
/** How long a test may take beyond its time. */
const GRACE: Instant = seconds(10);
/** How long nothing may move in a test. */
const STILL: Instant = seconds(30);
/** How long the control connection has to tell why a stream has ended. */
const MOMENT: Instant = seconds(1);
/** From when on a client that says nothing is probed. */
const SILENT: Instant = seconds(10);

const Phase = { Parameters: 0, Streams: 1, Running: 2, Results: 3, Display: 4, Over: 5 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/** What a test needs of its server. */
export interface ServerTestOptions {
  readonly party: Party;
  readonly watcher: Watcher;
  readonly leaving: Leaving;
  /** How often intervals are told; 0: never. */
  readonly interval: Instant;
}

/** A test. */
export class ServerTest {
  /** The cookie that its connections bring. */
  readonly cookie: Uint8Array;
  /** Whether it ended as it should; undefined: it has not ended. */
  success: boolean | undefined;
  readonly turns: UdpTurns = new UdpTurns();
  readonly #options: ServerTestOptions;
  readonly #connection: Connection;
  readonly #control = new Control();
  readonly #streams: DataStream[] = [];
  #phase: Phase = Phase.Parameters;
  #until: Instant;
  #parameters: Parameters | undefined;
  #directions: readonly boolean[] = [];
  #measure: Measure | undefined;
  #load: Load | undefined;
  /** What has befallen a stream. */
  #broken = "";
  #stillness: Stillness | undefined;

  /** A test for the client on this connection, which has said its cookie. */
  constructor(connection: Connection, cookie: Uint8Array, options: ServerTestOptions) {
    this.cookie = cookie;
    this.#options = options;
    this.#connection = connection;
    this.#until = options.party.now() + STEP;
    const control = this.#control;
    connection.receiveBuffer = control.received;
    connection.sendBuffer = control.buffer;
    connection.handler = {
      readable: () => this.#heard(),
      peerClosed: () => this.#lost("the client has closed the control connection"),
      closed: () => this.#lost("the control connection to the client broke"),
    };
    control.attach(connection);
    connection.setKeepAlive(true, SILENT);
    control.state(State.ParamExchange);
  }

  /** Whether it came so far that its client is one. */
  get isAgreed(): boolean {
    return this.#parameters !== undefined;
  }

  /** Whether it waits for streams over TCP. */
  get wantsConnections(): boolean {
    return this.#phase === Phase.Streams && this.#parameters?.protocol === "tcp";
  }

  /** A connection has come with its cookie. */
  join(connection: Connection, sink: DataSink): void {
    const parameters = this.#parameters;
    const sends = this.#directions[this.#streams.length];
    if (parameters === undefined || sends === undefined) return connection.abort();
    const source = new DataSource(new Uint8Array(0));
    connection.sendBuffer = source;
    connection.handler = this.#streamHandler();
    this.#streams.push(new TcpStream(connection, sends, source, sink, parameters));
    sink.open();
    connection.flush();
    this.#beginIfComplete();
  }

  /** A datagram has come to the server's port, from nobody who has a stream. */
  datagram(packet: UdpIn): void {
    const { frame, payloadAt, length, ip, sourcePort, destinationPort } = packet;
    const parameters = this.#parameters;
    const sends = this.#directions[this.#streams.length];
    if (this.#phase !== Phase.Streams || parameters?.protocol !== "udp" || sends === undefined) return;
    if (ip.isGroup || sourcePort === 0 || !ip.source.equals(this.#connection.remote)) return;
    if (!datagram.isHello(frame.bytes, payloadAt, length)) return;
    const stream = UdpStream.open(
      this.#options.party.udp,
      {
        local: new Address().copy(ip.destination),
        localPort: destinationPort,
        peer: { address: new Address().copy(ip.source), port: sourcePort },
        isClient: false,
      },
      sends,
      parameters,
    );
    if (stream === undefined) return;
    this.#streams.push(stream);
    // It begins when the answer has left.
    this.turns.streams.push(stream);
  }

  /** Does what is due. */
  tick(now: Instant): void {
    if (this.#phase === Phase.Streams) this.#beginIfComplete();
    if (this.#phase === Phase.Running) {
      for (const stream of this.#streams) stream.tick(now);
      this.#measure?.tick(now);
      const still = this.#stillness?.tick(now);
      if (still !== undefined) this.#fail(Wrong.NoMessage, `nothing has moved for ${still} s`);
    }
    if (now >= this.#until && this.success === undefined) this.#late();
  }

  /** When something will be. */
  deadline(): Instant {
    let next = this.#until;
    if (this.#phase !== Phase.Running || this.#measure === undefined) {
      return Math.min(next, this.turns.deadline());
    }
    next = Math.min(
      next,
      this.#stillness?.deadline() ?? next,
      this.#measure.deadline(),
      this.turns.deadline(),
    );
    for (let index = 0; index < this.#streams.length; index++) {
      next = Math.min(next, this.#streams[index]!.deadline());
    }
    return next;
  }

  /** The server is told to stop. */
  stop(): void {
    this.#control.state(State.ServerTerminate);
    this.#end(false, "the server was told to stop");
  }

  #heard(): void {
    while (this.#phase !== Phase.Over) {
      const isText = this.#phase === Phase.Parameters || this.#phase === Phase.Results;
      if (isText ? !this.#hearText() : !this.#hearState()) return;
    }
  }

  /** Answers whether there was anything to hear. */
  #hearText(): boolean {
    const isFirst = this.#phase === Phase.Parameters;
    const object = this.#control.readJson(isFirst ? PARAMETERS_MAX : RESULTS_MAX);
    if (object === undefined) return false;
    if (isFirst) this.#agree(object === GARBLED ? Wrong.Parameters : readParameters(object));
    else {
      const results = object === GARBLED ? undefined : readResults(object, this.#streams.length);
      if (results === undefined) this.#fail(Wrong.Results, "the client's results make no sense");
      else this.#exchange(results);
    }
    return true;
  }

  #hearState(): boolean {
    const state = this.#control.readState();
    if (state === undefined) return false;
    if (state === State.ClientTerminate) this.#end(false, "the client was told to stop");
    else if (state === State.TestEnd && this.#phase === Phase.Running) this.#finish();
    else if (state === State.IperfDone && this.#phase === Phase.Display) this.#end(true);
    else this.#fail(Wrong.Message, `the client said ${state}, which has no place there`);
    return true;
  }

  #agree(parameters: Parameters | Wrong): void {
    if (typeof parameters === "number") {
      return this.#fail(parameters, `the client's test cannot be: ${wrongText(parameters)}`);
    }
    this.#parameters = parameters;
    this.#directions = directions(parameters, false);
    this.#step(Phase.Streams);
    this.#control.state(State.CreateStreams);
  }

  #beginIfComplete(): void {
    const { party, watcher, interval } = this.#options;
    const parameters = this.#parameters;
    if (parameters === undefined || this.#streams.length < this.#directions.length) return;
    if (!this.#streams.every(({ isOpen }) => isOpen)) return;
    const now = party.now();
    this.#control.state(State.TestStart);
    this.#control.state(State.TestRunning);
    this.#phase = Phase.Running;
    const { omit, time } = parameters;
    this.#until = time > 0 ? now + seconds(omit + time) + GRACE : Infinity;
    this.#stillness = new Stillness(this.#streams, STILL, parameters);
    this.#stillness.begin(now);
    this.#load = new Load(party);
    const measure = this.#measure = new Measure(this.#streams, {
      interval,
      omit: seconds(omit),
      interim: (rows, isOmitted) => watcher.interim(parameters, rows, isOmitted),
    });
    watcher.began(parameters, this.#streams);
    measure.begin(now);
    for (const stream of this.#streams) stream.begin(now);
  }

  #finish(): void {
    const now = this.#options.party.now();
    for (const stream of this.#streams) {
      stream.stop();
      // A client may read blocks in vain until it hears of the end on each stream as well.
      if (stream instanceof TcpStream) stream.close();
    }
    this.#measure?.end(now);
    this.#step(Phase.Results);
    this.#control.state(State.ExchangeResults);
  }

  #exchange(theirs: Results): void {
    const { party, watcher } = this.#options;
    const measure = this.#measure, parameters = this.#parameters;
    if (measure === undefined || parameters === undefined) return;
    const now = party.now();
    const own: Results = {
      cpu: this.#load?.percent() ?? [0, 0, 0],
      congestion: parameters.protocol === "tcp"
        ? congestionOf(this.#streams, this.#connection.control.name)
        : undefined,
      streams: measure.results(now),
    };
    this.#control.json(resultsObject(own));
    this.#step(Phase.Display);
    this.#control.state(State.DisplayResults);
    watcher.finished({ parameters, rows: finalRows(measure.rows(now), own, theirs), own, theirs });
  }

  #step(phase: Phase): void {
    this.#phase = phase;
    this.#broken = "";
    this.#until = this.#options.party.now() + STEP;
  }

  /** A stream has ended before its time; the control connection may tell why. */
  #broke(why: string): void {
    if (this.#phase >= Phase.Results || this.#broken !== "") return;
    this.#broken = why;
    this.#until = Math.min(this.#until, this.#options.party.now() + MOMENT);
  }

  #late(): void {
    if (this.#broken !== "") return this.#fail(Wrong.StreamClosed, this.#broken);
    // Both sides have what they wanted.
    if (this.#phase === Phase.Display) return this.#end(true);
    const what = this.#phase === Phase.Running
      ? "the client has not ended its test in time"
      : "the client has said nothing for too long";
    this.#fail(Wrong.NoMessage, what);
  }

  #lost(why: string): void {
    if (this.#phase === Phase.Display) this.#end(true);
    else this.#end(false, why);
  }

  #fail(wrong: Wrong, why: string): void {
    this.#control.state(State.ServerError);
    this.#control.words(wrong, 0);
    this.#end(false, why);
  }

  #end(success: boolean, why: string = ""): void {
    if (this.success !== undefined) return;
    const { party, leaving, watcher } = this.#options;
    const now = party.now();
    const wasRunning = this.#phase === Phase.Running;
    this.success = success;
    this.#phase = Phase.Over;
    this.#until = Infinity;
    for (const stream of this.#streams) {
      if (success && stream instanceof TcpStream) leaving.add(stream.connection, now);
      else stream.abort();
    }
    if (wasRunning) this.#measure?.end(now);
    leaving.add(this.#connection, now);
    if (!success) watcher.failed(why);
  }

  #streamHandler(): ConnectionHandler {
    return {
      // A client may close its streams as soon as it has the results.
      peerClosed: (connection) => {
        if (this.#phase === Phase.Display) connection.close();
        else if (this.#phase < Phase.Results) {
          this.#fail(Wrong.StreamClosed, "the client has closed a stream");
        }
      },
      closed: () => {
        this.#broke("a stream of the client broke");
      },
    };
  }
}
