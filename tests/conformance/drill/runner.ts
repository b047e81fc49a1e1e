/**
 * Runs a drill script against a host on virtual time.
 *
 * @module
 */
import { type Instant, NEVER, seconds } from "../../../stack/store/time.ts";
import { actualText, readPacket } from "./actual.ts";
import type { CallAction, Event, PacketAction, Script } from "./ast.ts";
import { buildPacket } from "./build.ts";
import type { Attempt, CallContext, Descriptor } from "./call.ts";
import { prepareCall } from "./calls.ts";
import { differences } from "./compare.ts";
import { type Config, configure } from "./config.ts";
import type { Position } from "./error.ts";
import { DrillFailure, DrillUnsupported } from "./failure.ts";
import { Flows } from "./flows.ts";
import type { DrillHost, Outcome } from "./host.ts";
import { Timeline } from "./timeline.ts";
import { outcomeDifference } from "./outcome.ts";

/** How a script is run. */
export interface RunOptions {
  /**
   * What becomes of lines that are not supported. "fail", the default: they fail the drill. "skip": shell commands and
   * code blocks are passed over, and what else is not supported ends the drill as skipped.
   */
  readonly unsupported?: "fail" | "skip";
}

/** How a drill went that did not fail. */
export interface Report {
  /** Whether it ran to its end. */
  readonly status: "passed" | "skipped";
  /** What was passed over, each with its place. */
  readonly skipped: readonly string[];
  /** How many lines were run. */
  readonly events: number;
  /** The virtual time at its end. */
  readonly end: Instant;
}

/** The longest that a packet without a time is waited for. */
const PATIENCE: Instant = seconds(86_400);

/**
 * Runs a script against a host that `createHost` makes for its settings.
 *
 * @throws {DrillSyntaxError} for an option that there is not
 * @throws {DrillFailure} when the stack does not do what the script says, or the script asks for what is not supported
 */
export function runScript(
  script: Script,
  createHost: (config: Config) => DrillHost,
  options: RunOptions = {},
): Report {
  const config = configure(script.options, script.file);
  const runner = new Runner(script, config, createHost(config), options.unsupported === "skip");
  return runner.run();
}

class Runner {
  readonly #script: Script;
  readonly #config: Config;
  readonly #host: DrillHost;
  readonly #skips: boolean;
  readonly #timeline: Timeline;
  readonly #flows: Flows;
  readonly #context: CallContext;
  readonly #injected: Uint8Array[] = [];
  readonly #skipped: string[] = [];
  readonly #unfinished = new Map<CallAction, Instant>();
  #events = 0;
  /** What relative times count from: when the event before happened. */
  #last: Instant = 0;

  constructor(script: Script, config: Config, host: DrillHost, skips: boolean) {
    this.#script = script;
    this.#config = config;
    this.#host = host;
    this.#skips = skips;
    this.#timeline = new Timeline(host);
    this.#flows = new Flows(config);
    this.#context = {
      host,
      config,
      flows: this.#flows,
      descriptors: new Map<number, Descriptor>(),
      file: script.file,
      now: () => this.#timeline.now,
    };
  }

  run(): Report {
    const { setUp, events, cleanUp } = this.#script;
    try {
      for (const { at } of setUp) this.#passOver(at, "a shell command");
      if (!this.#config.dryRun) {
        for (const event of events) this.#event(event);
        this.#end();
      }
      for (const { at } of cleanUp) this.#passOver(at, "a shell command");
    } catch (error) {
      if (!(error instanceof DrillUnsupported) || !this.#skips) throw error;
      this.#skipped.push(error.message);
      return this.#report("skipped");
    }
    return this.#report("passed");
  }

  #report(status: Report["status"]): Report {
    return { status, skipped: this.#skipped, events: this.#events, end: this.#timeline.now };
  }

  #event({ at, time, action }: Event): void {
    this.#events++;
    const base = time.kind !== "any" && time.relative ? this.#last : 0;
    if (action.kind === "packet" && action.direction === "out") {
      const from = time.kind === "any" ? this.#timeline.now : base + time.from;
      const to = time.kind === "any" ? from + PATIENCE : time.kind === "at" ? from : base + time.to;
      this.#expect(action, time.kind === "any" ? undefined : { from, to });
      if (time.kind === "at") this.#last = from;
      return;
    }
    const start = base + (time.kind === "any" ? 0 : time.from);
    if (start < this.#timeline.now - this.#config.tolerance) {
      this.#fail(at, `this is to happen at ${text(start)}, but it is ${text(this.#timeline.now)} already`);
    }
    this.#timeline.run(start);
    this.#last = start;
    this.#checkOverdue();
    if (action.kind === "packet") this.#inject(action);
    else if (action.kind === "call") this.#call(action, base);
    else this.#passOver(action.at, action.kind === "code" ? "a code block" : "a shell command");
    this.#timeline.settle();
  }

  #passOver(at: Position, what: string): void {
    const unsupported = new DrillUnsupported(this.#script.file, at, what);
    if (!this.#skips) throw unsupported;
    this.#skipped.push(unsupported.message);
  }

  #inject(action: PacketAction): void {
    const packet = buildPacket(action, this.#flows.of(action));
    if (typeof packet === "string") throw new DrillUnsupported(this.#script.file, action.at, packet);
    if (packet.length > this.#config.mtu) {
      this.#fail(
        action.at,
        `a packet of ${packet.length} bytes is over the link's MTU of ${this.#config.mtu}`,
      );
    }
    this.#injected.push(packet);
    this.#host.inject(packet);
  }

  /** Waits for a packet and compares it; `window` is when it must leave, undefined: at any time. */
  #expect(action: PacketAction, window: { readonly from: Instant; readonly to: Instant } | undefined): void {
    if (action.carriers.length > 0) {
      throw new DrillUnsupported(this.#script.file, action.at, "a packet that must go out in another");
    }
    const { tolerance } = this.#config;
    const { departures } = this.#timeline;
    const limit = window === undefined ? this.#timeline.now + PATIENCE : window.to + tolerance;
    this.#timeline.run(limit, () => departures.length > 0);
    this.#checkOverdue();
    const departure = departures.shift();
    if (departure === undefined) {
      const until = window === undefined ? "" : ` by ${text(limit)}`;
      return this.#fail(action.at, `this packet must go out, but none did${until}`);
    }
    const actual = readPacket(departure.bytes);
    if (typeof actual === "string") return this.#fail(action.at, `the stack sent ${actual}`);
    const flow = this.#flows.of(action);
    const found = differences(action, actual, { flow, config: this.#config, injected: this.#injected });
    if (window !== undefined) found.push(...timeDifference(departure.time, window, tolerance));
    if (found.length > 0) {
      const sent = `sent at ${text(departure.time)}: ${actualText(actual, flow)}`;
      this.#fail(action.at, ["the packet that went out is another", ...found, sent].join("\n  "));
    }
    if (window === undefined || window.from !== window.to) this.#last = departure.time;
  }

  #call(action: CallAction, base: Instant): void {
    const attempt = prepareCall(action, this.#context);
    const end = action.end === undefined ? undefined : base + action.end;
    const outcome = attempt.make();
    if (outcome.kind !== "blocked" || !attempt.mayWait) return this.#finish(action, outcome, end);
    if (end === undefined) {
      this.#fail(action.at, `${action.name}() has to wait: give the time when it returns, as in +0...0.1`);
    }
    this.#unfinished.set(action, end);
    this.#timeline.wait({ deadline: attempt.deadline, retry: () => this.#retry(action, attempt, end) });
  }

  #retry(action: CallAction, attempt: Attempt, end: Instant): boolean {
    const outcome = attempt.make();
    if (outcome.kind === "blocked") return false;
    this.#unfinished.delete(action);
    this.#finish(action, outcome, end);
    return true;
  }

  #finish(action: CallAction, outcome: Outcome<readonly string[]>, end: Instant | undefined): void {
    if (outcome.kind === "unsupported") {
      throw new DrillUnsupported(this.#script.file, action.at, outcome.what);
    }
    const found = outcomeDifference(action, outcome, this.#script.file, this.#config);
    const { now } = this.#timeline;
    if (end !== undefined && Math.abs(now - end) > this.#config.tolerance) {
      found.push(`time: expected it to return at ${text(end)}, but it did at ${text(now)}`);
    }
    if (found.length > 0) {
      this.#fail(action.at, [`${action.name}() did something else`, ...found].join("\n  "));
    }
  }

  /** A call that waits must not do so for longer than the script says. */
  #checkOverdue(): void {
    for (const [action, end] of this.#unfinished) {
      if (this.#timeline.now <= end + this.#config.tolerance) continue;
      this.#fail(action.at, `${action.name}() was to return at ${text(end)}, but it still waits`);
    }
  }

  #end(): void {
    for (const [action, end] of this.#unfinished) {
      this.#timeline.run(end + this.#config.tolerance, () => !this.#unfinished.has(action));
      if (!this.#unfinished.has(action)) continue;
      this.#fail(action.at, `${action.name}() was to return at ${text(end)}, but it still waits`);
    }
    const [left] = this.#timeline.departures;
    if (left === undefined) return;
    const actual = readPacket(left.bytes);
    const what = typeof actual === "string" ? actual : actualText(actual, this.#flows.current);
    const at = this.#script.events.at(-1)?.at ?? { line: 1, column: 1 };
    this.#fail(
      at,
      `after this a packet is left that the script does not expect\n  sent at ${text(left.time)}: ${what}`,
    );
  }

  #fail(at: Position, reason: string): never {
    throw new DrillFailure(this.#script.file, at, reason);
  }
}

function timeDifference(
  time: Instant,
  { from, to }: { readonly from: Instant; readonly to: Instant },
  tolerance: Instant,
): string[] {
  if (time >= from - tolerance && time <= to + tolerance) return [];
  const expected = from === to ? text(from) : `${text(from)} to ${text(to)}`;
  return [`time: expected ${expected}, give or take ${text(tolerance)}, but it is ${text(time)}`];
}

/** A time in seconds. */
function text(time: Instant): string {
  return time === NEVER ? "never" : `${(time / 1_000_000).toFixed(6)} s`;
}
