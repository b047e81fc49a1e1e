/**
 * Two or more hosts on one simulated network, on a clock of its own: the same seed gives the same bytes at the same
 * times, as fast as the machine can.
 *
 * @module
 */
import { type Instant, NEVER } from "../../stack/store/time.ts";
import { DeviceInfo, type DeviceSlot, SlotPool } from "../device.ts";
import { ALL_MANUAL } from "../../stack/slot.ts";
import { Agenda } from "./agenda.ts";
import { Bridge, FLOOD, NOWHERE } from "./bridge.ts";
import type { NetworkEvent } from "./event.ts";
import { type HostOptions, type Hub, Port } from "./port.ts";

/** How a {@linkcode Network} is set up. */
export interface NetworkOptions {
  /** The seed of all links whose faults name none. Default 0. */
  readonly seed?: number;
  /** The largest payload of a frame. Default 1500. */
  readonly mtu?: number;
  /** How many frames can be under way, on all links together. Default 2,048. */
  readonly frames?: number;
  /** Is shown everything that happens to a frame. */
  readonly trace?: (event: NetworkEvent) => void;
  /** After how many turns without passing of time {@linkcode Network.step} throws. Default 100,000. */
  readonly turns?: number;
}

/** Turns in which a host asks for the present, and then does nothing. */
const IDLE_TURNS = 100;

/**
 * A switch with a host at each port. Nothing happens but in `step`, `run` and `runUntil`, which let the clock jump to
 * the next event: a frame that arrives, a sender's deadline, an action. At one instant there come first the actions
 * in the order in which they were added, then the frames that reach the switch, then the hosts, in the order of their
 * attachment, each of them with a burst in and a burst out.
 */
export class Network implements Hub {
  readonly pool: SlotPool;
  readonly mtu: number;
  readonly seed: number;
  readonly trace: ((event: NetworkEvent) => void) | undefined;
  /** The hosts, in the order of attachment. */
  readonly ports: readonly Port[];
  readonly #ports: Port[] = [];
  readonly #bridge = new Bridge();
  readonly #agenda = new Agenda();
  readonly #limit: number;
  #now: Instant = 0;
  #turns = 0;
  #idle = 0;

  /** A network without hosts at time 0. */
  constructor(options: NetworkOptions = {}) {
    this.mtu = options.mtu ?? 1_500;
    this.seed = options.seed ?? 0;
    this.#limit = options.turns ?? 100_000;
    this.trace = options.trace;
    this.ports = this.#ports;
    this.pool = new SlotPool(options.frames ?? 2_048, this.mtu + 18, new DeviceInfo(ALL_MANUAL, this.mtu));
  }

  get now(): Instant {
    return this.#now;
  }

  /** Plugs a host in. Throws a RangeError for faults or an MTU that cannot be. */
  attach(host: HostOptions): Port {
    const port = new Port(this, this.#ports.length, host);
    this.#ports.push(port);
    return port;
  }

  /** Has `action` done at a virtual time, before anything else of that time. Throws a RangeError for the past. */
  at(time: Instant, action: () => void): void {
    if (!(time >= this.#now)) throw new RangeError(`it is ${this.#now} us already, too late for ${time} us`);
    this.#agenda.add(time, action);
  }

  /** When the next thing happens; {@linkcode NEVER}: nothing will. */
  deadline(): Instant {
    let next = this.#agenda.deadline();
    for (let index = 0; index < this.#ports.length; index++) {
      const port = this.#ports[index]!;
      next = Math.min(next, port.deadline(), port.egress.deadline());
    }
    return next;
  }

  /**
   * Lets the clock jump to the next event and does what is to be done then, one turn of each host. False: nothing
   * will ever happen. Throws an Error that names the host if time cannot pass any more.
   */
  step(): boolean {
    const next = this.deadline();
    if (next === NEVER) return false;
    this.#jump(next);
    const moved = this.#turn();
    this.#idle = moved > 0 ? 0 : this.#idle + 1;
    if (++this.#turns > this.#limit || this.#idle > IDLE_TURNS) this.#stuck();
    return true;
  }

  /** Runs until the clock shows `until`, and does all that is to be done by then. */
  run(until: Instant): void {
    this.runUntil(() => false, until);
  }

  /** Runs until `predicate` holds, asked after every step. False: it does not, though the clock shows `limit`. */
  runUntil(predicate: () => boolean, limit: Instant = NEVER): boolean {
    // What happened since the last run may have changed what the trees wait for.
    this.#wake();
    while (!predicate()) {
      if (this.deadline() > limit || !this.step()) {
        if (limit < NEVER) this.#jump(limit);
        return false;
      }
    }
    return true;
  }

  forward(port: Port): void {
    for (let slot = port.egress.pop(this.#now); slot !== undefined; slot = port.egress.pop(this.#now)) {
      const { bytes, start, end } = slot.frame;
      const to = this.#bridge.forward(bytes, start, end, port.index);
      if (to >= 0) this.#carry(slot, this.#ports[to]!);
      else if (to === FLOOD) this.#flood(slot, port.index);
      else if (to === NOWHERE) this.pool.give(slot);
    }
  }

  #jump(time: Instant): void {
    if (time <= this.#now) return;
    this.#now = time;
    this.#turns = 0;
    this.#idle = 0;
    for (let index = 0; index < this.#ports.length; index++) this.#ports[index]!.tick();
  }

  #wake(): void {
    for (const port of this.#ports) port.wake();
  }

  #turn(): number {
    let moved = this.#agenda.run(this.#now);
    if (moved > 0) this.#wake();
    for (let index = 0; index < this.#ports.length; index++) {
      const { egress } = this.#ports[index]!;
      const { size } = egress;
      if (size > 0) this.forward(this.#ports[index]!);
      moved += size - egress.size;
    }
    for (let index = 0; index < this.#ports.length; index++) moved += this.#ports[index]!.cycle();
    return moved;
  }

  /** The original goes to the last port, copies to the others. */
  #flood(slot: DeviceSlot, from: number): void {
    const { bytes, start, end } = slot.frame;
    const last = from === this.#ports.length - 1 ? from - 1 : this.#ports.length - 1;
    for (let index = 0; index < last; index++) {
      if (index === from) continue;
      this.#ports[index]!.ingress.push(bytes, start, end, this.#now);
      this.#ports[index]!.expect();
    }
    if (last >= 0) this.#carry(slot, this.#ports[last]!);
    else this.pool.give(slot);
  }

  #carry(slot: DeviceSlot, to: Port): void {
    to.ingress.carry(slot, this.#now);
    to.expect();
  }

  #stuck(): never {
    const at = `it stays ${this.#now} us`;
    const busy = this.#ports.filter((port) => port.deadline() <= this.#now);
    const names = busy.map((port) => port.name).join(" and ");
    if (this.#idle > IDLE_TURNS) {
      const wish = busy[0]?.sendDeadline();
      throw new Error(
        `${at}: ${names} asks for a turn at ${wish} us and then sends nothing; move its deadline on`,
      );
    }
    throw new Error(
      `${at} after ${this.#turns} turns: frames of ${names} take no time; give a link a delay, or raise "turns"`,
    );
  }
}
