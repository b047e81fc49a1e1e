/**
 * A host for tests of the runner: it sends the packets it is told to, when it is told to, and answers calls from a list.
 *
 * @module
 */
import { type Instant, NEVER } from "../../../stack/store/time.ts";
import { buildPacket } from "./build.ts";
import type { Config } from "./config.ts";
import { Flow } from "./flow.ts";
import {
  blocked,
  done,
  doneWith,
  type DrillHost,
  type Outcome,
  type Received,
  type SocketAddress,
} from "./host.ts";
import { parseScript } from "./parser.ts";

/** A packet that the host is to send. */
export interface Planned {
  readonly at: Instant;
  readonly bytes: Uint8Array;
}

/** What {@linkcode FakeHost} is told to do. */
export interface Plan {
  /** What leaves, and when. */
  readonly packets?: readonly Planned[];
  /** What calls answer, by their method's name: one after the other, the last again and again. */
  readonly answers?: Readonly<Record<string, readonly Outcome[]>>;
  /** From when on a call that is listed in `answers` no longer blocks. */
  readonly readyAt?: Instant;
}

/** The packet of this line, as the stack under test would send it: its own numbers are the wire's. */
export function fromStack(line: string, config: Config): Uint8Array {
  const { events } = parseScript(`0 < ${line}`, "packet");
  const { action } = events[0]!;
  if (action.kind !== "packet") throw new TypeError(`"${line}" is no packet`);
  const [local, remote] = [{ address: config.local, port: 8_080 }, { address: config.remote, port: 50_000 }];
  // The builder knows only packets that come in, so the two ends change places.
  const bytes = buildPacket(action, new Flow(remote, local));
  if (typeof bytes === "string") throw new TypeError(bytes);
  return bytes;
}

/** A host that follows a plan and remembers what happened to it. */
export class FakeHost implements DrillHost {
  /** The packets that came in. */
  readonly injected: Uint8Array[] = [];
  /** The calls that were made, with what they sent. */
  readonly sent: Uint8Array[] = [];
  readonly #plan: Plan;
  readonly #packets: Planned[];
  readonly #asked = new Map<string, number>();
  readonly #out: Uint8Array[] = [];
  readonly #own: SocketAddress;
  #now: Instant = 0;
  #nextFd = 100;

  /** A host at time 0. */
  constructor(config: Config, plan: Plan) {
    this.#plan = plan;
    this.#packets = [...(plan.packets ?? [])];
    this.#own = { address: config.local, port: 8_080 };
  }

  setTime(now: Instant): void {
    if (now < this.#now) throw new RangeError("the clock went back");
    this.#now = now;
  }

  inject(packet: Uint8Array): void {
    this.injected.push(packet);
  }

  poll(): void {
    while (this.#packets[0] !== undefined && this.#packets[0].at <= this.#now) {
      this.#out.push(this.#packets.shift()!.bytes);
    }
  }

  take(): Uint8Array | undefined {
    return this.#out.shift();
  }

  deadline(): Instant {
    const readyAt = this.#plan.readyAt ?? NEVER;
    return Math.min(this.#packets[0]?.at ?? NEVER, readyAt > this.#now ? readyAt : NEVER);
  }

  socket(): Outcome {
    return done(this.#nextFd++);
  }

  close(): Outcome {
    return this.#answer("close") ?? done();
  }

  bind(): Outcome {
    return this.#answer("bind") ?? done();
  }

  connect(): Outcome {
    return this.#answer("connect") ?? done();
  }

  listen(): Outcome {
    return done();
  }

  accept(): Outcome<SocketAddress | undefined> {
    const outcome = this.#answer("accept") ?? done();
    return outcome.kind === "done" ? doneWith(this.#nextFd++, undefined) : outcome;
  }

  shutdown(): Outcome {
    return done();
  }

  send(_fd: number, data: Uint8Array): Outcome {
    const outcome = this.#answer("send") ?? done(data.length);
    if (outcome.kind === "done") this.sent.push(data.slice(0, outcome.value));
    return outcome;
  }

  receive(): Outcome<Received> {
    const outcome = this.#answer("receive") ?? blocked();
    if (outcome.kind !== "done") return outcome;
    return doneWith(outcome.value, { data: outcome.detail as Uint8Array, from: undefined, flags: [] });
  }

  setOption(): Outcome {
    return done();
  }

  getOption(): Outcome<number> {
    return doneWith(0, 111);
  }

  query(): Outcome<number> {
    return doneWith(0, 7);
  }

  localAddress(): Outcome<SocketAddress> {
    return doneWith(0, this.#own);
  }

  remoteAddress(): Outcome<SocketAddress> {
    return doneWith(0, this.#own);
  }

  events(): readonly string[] {
    return (this.#plan.readyAt ?? 0) <= this.#now ? ["POLLIN", "POLLOUT", "POLLHUP"] : [];
  }

  #answer(method: string): Outcome | undefined {
    const answers = this.#plan.answers?.[method];
    if (answers === undefined) return undefined;
    if ((this.#plan.readyAt ?? 0) > this.#now) return blocked();
    const index = this.#asked.get(method) ?? 0;
    this.#asked.set(method, index + 1);
    return answers[Math.min(index, answers.length - 1)];
  }
}
