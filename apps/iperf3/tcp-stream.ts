/** A stream over TCP: one connection, whose data is made where it is sent and counted where it arrives. */
import { type Connection, ConnectionState, type Instant, NEVER } from "../../mod.ts";
import type { DataSink, DataSource } from "./data.ts";
import { Pace } from "./pace.ts";
import type { Parameters } from "./parameters.ts";
import type { Count, DataStream, Ends } from "./stream.ts";

/** A stream on a connection that has these buffers. */
export class TcpStream implements DataStream {
  readonly sends: boolean;
  readonly ends: Ends;
  readonly connection: Connection;
  readonly #source: DataSource;
  readonly #sink: DataSink;
  readonly #pace: Pace;
  #limit = Infinity;
  #isRunning = false;
  #final: Count | undefined;

  constructor(
    connection: Connection,
    sends: boolean,
    source: DataSource,
    sink: DataSink,
    { rate, length, noDelay }: Parameters,
  ) {
    this.connection = connection;
    this.sends = sends;
    this.#source = source;
    this.#sink = sink;
    this.#pace = new Pace(rate, length);
    connection.noDelay = noDelay;
    const { local, localPort, remote, remotePort } = connection;
    this.ends = { local, localPort, remote, remotePort };
  }

  get bytes(): number {
    if (this.#final !== undefined) return this.#final.bytes;
    return this.sends ? this.#source.sent(this.connection.sentData) : this.#sink.total;
  }

  get isOpen(): boolean {
    return this.connection.state === ConnectionState.Established;
  }

  get isDone(): boolean {
    return this.#source.acknowledged >= this.#limit;
  }

  begin(now: Instant): void {
    this.#isRunning = true;
    if (!this.sends) return;
    this.#pace.begin(now);
    this.#offer(now);
  }

  limit(total: number): void {
    this.#limit = Math.max(total, this.bytes);
    if (!this.#pace.isLimited) this.#offer(0);
  }

  stop(): void {
    if (this.#final !== undefined) return;
    this.#final = this.count();
    this.#isRunning = false;
    if (this.sends) this.#source.end(this.connection.sentData);
  }

  tick(now: Instant): void {
    if (this.#isRunning && this.sends && this.#pace.isLimited) this.#offer(now);
  }

  deadline(): Instant {
    if (!this.#isRunning || !this.sends || !this.#pace.isLimited) return NEVER;
    const { length } = this.#source;
    // What may be sent by now waits for the windows, not for the clock.
    if (length > this.connection.sentData) return NEVER;
    const sent = this.bytes;
    return sent >= this.#limit ? NEVER : this.#pace.next(sent);
  }

  count(): Count {
    if (this.#final !== undefined) return this.#final;
    const { connection, sends } = this;
    return {
      bytes: this.bytes,
      retransmits: sends ? connection.retransmitted : undefined,
      cwnd: sends ? connection.control.cwnd : undefined,
      packets: undefined,
      lost: 0,
      outOfOrder: 0,
      jitter: 0,
    };
  }

  close(): void {
    this.connection.close();
    this.connection.flush();
  }

  abort(): void {
    this.connection.abort();
  }

  #offer(now: Instant): void {
    if (!this.#isRunning) return;
    const allowed = this.#pace.isLimited ? this.#pace.allowed(now) : Infinity;
    this.#source.offer(Math.min(this.#limit, allowed));
    this.connection.flush();
  }
}
