/** The client of iperf3: one test with a server. */
import {
  CloseReason,
  type Connection,
  type Instant,
  NEVER,
  seconds,
  type TimedSender,
  type UdpRaw,
} from "../../mod.ts";
import { VERSION } from "../version.ts";
import { Control, GARBLED } from "./control.ts";
import { Leaving } from "./leaving.ts";
import { Measure } from "./measure.ts";
import { Opening, type Target } from "./opening.ts";
import { type Parameters, parametersObject } from "./parameters.ts";
import { congestionOf, finalRows, Load, type Party, type Watcher } from "./party.ts";
import { makeCookie, State, wrongText } from "./protocol.ts";
import { readResults, type Results, RESULTS_MAX, resultsObject } from "./results.ts";
import { Stillness } from "./stillness.ts";
import type { DataStream } from "./stream.ts";
import { TcpStream } from "./tcp-stream.ts";

/** How long the server has for each step that is not the test itself. */
const STEP: Instant = seconds(30);
/** How long nothing may move in a test that ends by bytes. */
const STILL: Instant = seconds(60);
/** How long the control connection has to tell why a stream has ended. */
const MOMENT: Instant = seconds(1);
/** What of a segment TCP's options take. */
const OPTIONS = 12;

/** What a client is to do. */
export interface ClientOptions extends Target {
  /** The test; a length of 0 stands for what a segment carries. */
  readonly parameters: Parameters;
  /** How often intervals are told; 0: never. */
  readonly interval: Instant;
}

const Phase = {
  Connecting: 0,
  Agreeing: 1,
  Streams: 2,
  Running: 3,
  Ended: 4,
  Results: 5,
  Error: 6,
  Over: 7,
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/** A client. It is a sender of datagrams, whose deadline is that of all that it does; `tick` is called each cycle. */
export class Client implements TimedSender<UdpRaw> {
  /** Whether the test went as it should; undefined: it has not ended. */
  success: boolean | undefined;
  readonly #party: Party;
  readonly #options: ClientOptions;
  readonly #watcher: Watcher;
  readonly #cookie = makeCookie();
  readonly #control = new Control();
  readonly #leaving = new Leaving();
  #connection: Connection | undefined;
  #opening: Opening | undefined;
  #parameters: Parameters;
  #phase: Phase = Phase.Connecting;
  #until: Instant;
  /** When the test is to end; NEVER: when enough was sent. */
  #endAt: Instant = NEVER;
  /** How many bytes are enough; 0: it lasts a time. */
  #enough: number;
  #isLimited = false;
  #measure: Measure | undefined;
  #load: Load | undefined;
  /** What has befallen a stream. */
  #broken = "";
  #stillness: Stillness | undefined;
  #own: Results | undefined;
  #theirs: Results | undefined;
  /** Whether the server has said that data may flow. */
  #mayBegin = false;

  /** Connects to the server. */
  constructor(party: Party, options: ClientOptions, watcher: Watcher) {
    this.#party = party;
    this.#options = options;
    this.#watcher = watcher;
    this.#parameters = options.parameters;
    this.#enough = 0;
    // The neighbour's look-up and TCP's own patience tell why there is no connection; this is only the last resort.
    this.#until = party.now() + 4 * STEP;
    const control = this.#control;
    this.#connection = party.tcp.connect({
      address: options.address,
      port: options.port,
      localAddress: options.local,
      sendBuffer: control.buffer,
      receiveBuffer: control.received,
      handler: {
        opened: (connection) => this.#connected(connection),
        readable: () => this.#heard(),
        peerClosed: () => this.#fail("the server has closed the control connection before the test was over"),
        closed: (_, reason) => this.#closed(reason),
      },
    });
    if (this.#connection === undefined) this.#fail("no port is free for a connection; try again later");
  }

  /** Whether nothing is left to be done. */
  get isDone(): boolean {
    return this.success !== undefined && this.#leaving.size === 0;
  }

  /** Does what is due. */
  tick(now: Instant): void {
    this.#leaving.tick(now);
    if (this.#phase === Phase.Streams) {
      this.#opening?.next();
      // What a server says over UDP may come later than what it says then over TCP.
      if (this.#mayBegin && this.#opening?.isComplete === true) this.#begin();
    }
    if (this.#phase === Phase.Running) this.#run(now);
    if (now >= this.#until) {
      if (this.#broken !== "") return this.#fail(this.#broken);
      const what = this.#phase === Phase.Connecting
        ? "it does not answer"
        : "it has said nothing for too long";
      this.#fail(`no test with ${this.#options.address}: ${what}`);
    }
  }

  /** When something will be. */
  deadline(): Instant {
    let next = Math.min(this.#until, this.#leaving.deadline(), this.#opening?.turns.deadline() ?? NEVER);
    if (this.#phase !== Phase.Running || this.#measure === undefined) return next;
    next = Math.min(next, this.#endAt, this.#stillness?.deadline() ?? NEVER, this.#measure.deadline());
    for (let index = 0; index < this.#streams.length; index++) {
      next = Math.min(next, this.#streams[index]!.deadline());
    }
    return next;
  }

  /** Fills a datagram, if one is due. */
  send(raw: UdpRaw): void {
    this.#opening?.turns.fill(raw, this.#party.now());
  }

  /** Ends the test and tells the server. */
  stop(): void {
    if (this.#phase > Phase.Connecting) this.#control.state(State.ClientTerminate);
    this.#end(false);
  }

  get #streams(): readonly DataStream[] {
    return this.#opening?.streams ?? [];
  }

  #connected(connection: Connection): void {
    const { address, port, parameters } = this.#options;
    this.#watcher.met(address, port);
    this.#step(Phase.Agreeing);
    if (parameters.length === 0) this.#parameters = { ...parameters, length: connection.sndMss - OPTIONS };
    const { bytes, blocks, length } = this.#parameters;
    this.#enough = bytes > 0 ? bytes : blocks * length;
    this.#control.attach(connection);
    this.#control.bytes(this.#cookie);
  }

  #heard(): void {
    while (this.#phase !== Phase.Over) {
      if (this.#phase === Phase.Results ? !this.#hearResults() : !this.#hearState()) return;
    }
  }

  /** Answers whether there was anything to hear. */
  #hearState(): boolean {
    if (this.#phase === Phase.Error) return this.#hearError();
    const state = this.#control.readState();
    if (state === undefined) return false;
    const phase = this.#phase;
    if (state === State.AccessDenied) this.#fail("the server is busy with another test; try again later");
    else if (state === State.ServerTerminate) this.#fail("the server was told to stop");
    else if (state === State.ServerError) this.#step(Phase.Error);
    else if (state === State.ParamExchange && phase === Phase.Agreeing) {
      this.#control.json(parametersObject(this.#parameters, VERSION));
      this.#step(Phase.Agreeing);
    } else if (state === State.CreateStreams && phase === Phase.Agreeing) this.#create();
    // What follows it says more.
    else if (state === State.TestStart && phase === Phase.Streams) return true;
    else if (state === State.TestRunning && phase === Phase.Streams) {
      if (this.#opening?.isAsked !== true) this.#fail("the server begins before all streams are there");
      this.#mayBegin = true;
    } else if (state === State.ExchangeResults && phase === Phase.Ended) this.#tell();
    else if (state === State.DisplayResults && phase === Phase.Ended) this.#display();
    else this.#fail(`the server said ${state}, which has no place there; is it iperf3?`);
    return true;
  }

  #hearError(): boolean {
    if (this.#control.received.length < 8) return false;
    const wrong = this.#control.readWord() ?? 0;
    this.#control.readWord();
    this.#fail(`the server has refused the test: ${wrongText(wrong)}`);
    return true;
  }

  #create(): void {
    const { address } = this.#options;
    this.#opening = new Opening(this.#party, this.#options, this.#cookie, this.#parameters, {
      refused: () => this.#fail("no port is free for a stream; try again later"),
      ended: () => this.#broke("the server has closed a stream before the test was over"),
      closed: (reason) => this.#broke(`a stream to ${address} broke: ${reasonText(reason)}`),
    });
    this.#step(Phase.Streams);
    this.#opening.next();
  }

  #begin(): void {
    const { interval } = this.#options;
    const parameters = this.#parameters;
    const now = this.#party.now();
    this.#phase = Phase.Running;
    this.#until = Infinity;
    if (this.#enough === 0) this.#endAt = now + seconds(parameters.omit + parameters.time);
    else {
      this.#stillness = new Stillness(this.#streams, STILL, parameters);
      this.#stillness.begin(now);
    }
    this.#load = new Load(this.#party);
    const measure = this.#measure = new Measure(this.#streams, {
      interval,
      omit: seconds(parameters.omit),
      interim: (rows, isOmitted) => this.#watcher.interim(parameters, rows, isOmitted),
    });
    this.#watcher.began(parameters, this.#streams);
    measure.begin(now);
    for (const stream of this.#streams) stream.begin(now);
    this.#limit(measure);
  }

  /** What is enough is divided among the streams that send, once it counts. */
  #limit(measure: Measure): void {
    if (this.#isLimited || this.#enough === 0 || measure.isOmitting) return;
    this.#isLimited = true;
    const senders = this.#streams.filter(({ sends }) => sends);
    const { length } = this.#parameters;
    const blocks = Math.ceil(this.#enough / length);
    senders.forEach((stream, index) => {
      const share = Math.floor((blocks + senders.length - 1 - index) / senders.length);
      stream.limit(stream.bytes + share * length);
    });
  }

  #run(now: Instant): void {
    const measure = this.#measure;
    if (measure === undefined) return;
    for (const stream of this.#streams) stream.tick(now);
    measure.tick(now);
    this.#limit(measure);
    if (now >= this.#endAt || this.#hasEnough(measure)) return this.#finish(now);
    const still = this.#stillness?.tick(now);
    if (still !== undefined) this.#fail(`nothing has moved for ${still} s`);
  }

  /** All that was to be sent is there, or as much has come as was wanted. */
  #hasEnough(measure: Measure): boolean {
    if (!this.#isLimited) return false;
    let isSending = false, isDone = true;
    for (let index = 0; index < this.#streams.length; index++) {
      const stream = this.#streams[index]!;
      if (!stream.sends) continue;
      isSending = true;
      isDone = isDone && stream.isDone;
    }
    return isSending && isDone || measure.bytes(false) >= this.#enough;
  }

  #finish(now: Instant): void {
    for (const stream of this.#streams) stream.stop();
    this.#measure?.end(now);
    this.#step(Phase.Ended);
    this.#control.state(State.TestEnd);
  }

  #tell(): void {
    const measure = this.#measure;
    if (measure === undefined) return;
    const [stream] = this.#streams;
    const own = this.#own = {
      cpu: this.#load?.percent() ?? [0, 0, 0] as const,
      congestion: congestionOf(
        this.#streams,
        stream instanceof TcpStream ? stream.connection.control.name : undefined,
      ),
      streams: measure.results(this.#party.now()),
    };
    this.#control.json(resultsObject(own));
    this.#step(Phase.Results);
  }

  #hearResults(): boolean {
    const object = this.#control.readJson(RESULTS_MAX);
    if (object === undefined) return false;
    const results = object === GARBLED ? undefined : readResults(object, this.#streams.length);
    if (results === undefined) this.#fail("the server's results make no sense");
    else {
      this.#theirs = results;
      this.#step(Phase.Ended);
    }
    return true;
  }

  #display(): void {
    const measure = this.#measure, own = this.#own, theirs = this.#theirs;
    if (measure === undefined || own === undefined || theirs === undefined) {
      return this.#fail("the server has told no results");
    }
    const rows = finalRows(measure.rows(this.#party.now()), own, theirs);
    this.#watcher.finished({ parameters: this.#parameters, rows, own, theirs });
    this.#control.state(State.IperfDone);
    this.#end(true);
  }

  #step(phase: Phase): void {
    this.#phase = phase;
    this.#broken = "";
    this.#until = this.#party.now() + STEP;
  }

  /** A stream has ended before its time; the control connection may tell why. */
  #broke(why: string): void {
    if (this.#phase >= Phase.Ended || this.#broken !== "") return;
    this.#broken = why;
    this.#until = Math.min(this.#until, this.#party.now() + MOMENT);
  }

  #closed(reason: CloseReason): void {
    const { address, port } = this.#options;
    const why = reasonText(reason);
    if (this.#phase !== Phase.Connecting) return this.#fail(`the connection to ${address} broke: ${why}`);
    const remedy = reason === CloseReason.Refused ? "; is a server running there (iperf3 -s)?" : "";
    this.#fail(`no connection to ${address} port ${port}: ${why}${remedy}`);
  }

  #fail(why: string): void {
    if (this.success !== undefined) return;
    this.#end(false);
    this.#watcher.failed(why);
  }

  #end(success: boolean): void {
    if (this.success !== undefined) return;
    this.success = success;
    const now = this.#party.now();
    for (const stream of this.#streams) if (!success) stream.stop();
    this.#measure?.end(now);
    this.#phase = Phase.Over;
    this.#until = Infinity;
    for (const stream of this.#streams) {
      if (success && stream instanceof TcpStream) this.#leaving.add(stream.connection, now);
      else stream.abort();
    }
    if (this.#connection !== undefined) this.#leaving.add(this.#connection, now);
  }
}

function reasonText(reason: CloseReason): string {
  return REASONS[reason] ?? "it was closed";
}

const REASONS: Readonly<Record<number, string>> = {
  [CloseReason.Reset]: "reset by the peer",
  [CloseReason.Refused]: "connection refused",
  [CloseReason.TimedOut]: "it does not answer",
  [CloseReason.Unreachable]: "nobody answers there, or a router says that it cannot be reached",
};
