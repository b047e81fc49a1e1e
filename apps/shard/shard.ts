/**
 * One of the stacks of a host that has several: it has a queue of the NIC and the flows in it. What it knows of the link
 * it knows from who speaks for the host.
 */
import {
  type CongestionName,
  Frame,
  HEADROOM,
  type Instant,
  type Mac,
  NEVER,
  newRequest,
  type ShardNic,
  type SipKey,
} from "../../mod.ts";
import { Appliance, type Tree } from "../appliance.ts";
import { layers } from "../report.ts";
import { counterNames, type Layers, readCounters, sumCounters, writeCounters } from "./counter-board.ts";
import { applyFacts, type Facts, FactsReader, goneAddresses } from "./facts.ts";
import { NeighbourReader } from "./neighbour-board.ts";

/** How old the counters that others see may be, and how long resets may take to leave, in microseconds. */
const PUBLISHING: Instant = 50_000, PARTING: Instant = 500_000;

/** What all stacks of a host share. */
export interface SharedMemory {
  /** The lines of frames between them. */
  readonly mesh: SharedArrayBuffer;
  /** Addresses and routes. */
  readonly facts: SharedArrayBuffer;
  /** Neighbours. */
  readonly neighbours: SharedArrayBuffer;
  /** Counters. */
  readonly counters: SharedArrayBuffer;
}

/** How a {@linkcode Shard} is set up. */
export interface ShardOptions {
  readonly nic: ShardNic;
  readonly shared: SharedMemory;
  readonly mac: Mac;
  readonly vlan?: number | undefined;
  readonly congestion: CongestionName;
  /** The secret of TCP, which all have alike: a cookie that one has made another may be shown. */
  readonly secret: SipKey;
  /** Called when the facts have been taken over: those of this version, for which so many connections were reset. */
  readonly applied?: (version: number, connections: number) => void;
}

/** Such a stack. */
export class Shard {
  readonly appliance: Appliance;
  readonly #nic: ShardNic;
  readonly #shared: SharedMemory;
  readonly #facts: FactsReader;
  readonly #neighbours: NeighbourReader;
  readonly #applied: (version: number, connections: number) => void;
  readonly #question = new Frame(new Uint8Array(HEADROOM + 32));
  readonly #request = newRequest();
  /** Facts that are taken over as soon as the resets of connections have left. */
  #pending: { readonly facts: Facts; readonly until: Instant; readonly connections: number } | undefined;
  #census: Layers = [];
  #censusUntil: Instant = 0;
  #publishAt: Instant = NEVER;
  #published = -1;

  constructor(options: ShardOptions) {
    const { nic, shared } = options;
    this.#nic = nic;
    this.#shared = shared;
    this.#applied = options.applied ?? (() => {});
    this.appliance = new Appliance({
      nic,
      mac: options.mac,
      vlan: options.vlan,
      addresses: [],
      congestion: options.congestion,
      secret: options.secret,
      passing: nic,
      census: { worker: nic.port.index, workers: nic.port.members - 1, layers: () => this.#all() },
    });
    const { ip } = this.appliance;
    // Others speak NDP, IGMP and MLD for it, and ask for its neighbours.
    ip.linkControl = undefined;
    nic.beforeSend = () => this.#ask();
    this.#facts = new FactsReader(shared.facts);
    this.#neighbours = new NeighbourReader(shared.neighbours, ip.neighbours);
    // Whoever has just been answered sends at once.
    nic.beforeReceive = () => this.#learn(nic.now());
    this.follow();
  }

  /** The counters of its layers. */
  get layers(): Layers {
    return [...layers(this.appliance), ["workers", this.#nic.port.counters]];
  }

  /** What its NIC drives. */
  tree(): Tree {
    const { receive, send } = this.appliance.answering();
    const deadline = () => Math.min(send.deadline(), this.#publishAt, this.#pending?.until ?? NEVER);
    return { receive, send: { send: (slot) => send.send(slot), deadline } };
  }

  /** Takes over what is new, and tells what it has counted: after each cycle, and when it is to begin. */
  follow(): void {
    const now = this.#nic.now();
    this.#learn(now);
    this.#publish(now);
  }

  /** Tells what it has counted, now. */
  publish(): void {
    this.#publishAt = NEVER;
    this.#published = this.#activity();
    writeCounters(this.#shared.counters, this.#nic.port.index, this.layers);
  }

  #learn(now: Instant): void {
    this.#neighbours.follow(now);
    this.#takeFacts(now);
  }

  /** What all stacks have counted, as of some milliseconds ago: a page tells it to whoever asks, however often. */
  #all(): Layers {
    const now = this.#nic.now();
    if (now < this.#censusUntil) return this.#census;
    this.#censusUntil = now + PUBLISHING;
    const own = this.layers;
    const names = counterNames(own);
    const { members, index } = this.#nic.port;
    const others = Array.from({ length: members - 1 }, (_, other) => other).filter((other) =>
      other !== index
    );
    return this.#census = sumCounters(
      own,
      ...others.map((other) => readCounters(this.#shared.counters, other, names)),
    );
  }

  #publish(now: Instant): void {
    if (now >= this.#publishAt) this.publish();
    else if (this.#publishAt === NEVER && this.#activity() !== this.#published) {
      this.#publishAt = now + PUBLISHING;
    }
  }

  /** Grows with everything that is counted. */
  #activity(): number {
    const { received, sent, sendFull, sendFailed } = this.#nic.counters;
    return received + sent + sendFull + sendFailed + this.#nic.port.counters.taken;
  }

  #takeFacts(now: Instant): void {
    const facts = this.#facts.read();
    const { ip, tcp } = this.appliance;
    if (facts !== undefined) {
      const gone = goneAddresses(ip.addresses, facts);
      const connections = [...tcp.list()].filter(({ local }) => gone.some((one) => one.equals(local))).length;
      this.#pending = { facts, until: now + PARTING, connections };
    }
    if (this.#pending === undefined) return;
    const { until, connections } = this.#pending;
    const gone = goneAddresses(ip.addresses, this.#pending.facts);
    // Before an address goes, the connections on it are reset and their resets leave.
    const left = gone.reduce((sum, address) => sum + tcp.abortOn(address), 0);
    if (left > 0 && now < until) return;
    applyFacts(this.#pending.facts, ip);
    for (const address of gone) tcp.abortOn(address, false);
    this.#pending = undefined;
    this.#applied(this.#facts.version, connections);
  }

  /** Has neighbours that are looked up, or doubted, asked for by who speaks for the host. */
  #ask(): void {
    const { ip, nic } = this.appliance;
    const { neighbours } = ip;
    const now = nic.info.timestamp;
    if (neighbours.deadline() > now) return;
    for (const isV4 of [true, false]) {
      while (neighbours.nextRequest(now, this.#request, isV4)) {
        const { address, isGroup } = this.#request;
        this.#question.resize(QUESTION_LENGTH);
        const { bytes, start } = this.#question;
        address.writeV6(bytes, start);
        bytes[start + DOUBTS] = isGroup ? 0 : 1;
        this.#nic.port.ask(this.#nic.port.members - 1, this.#question);
      }
    }
  }
}

/** A question is an address, and whether a neighbour is known that is to be doubted. */
export const QUESTION_LENGTH = 17;
/** Where in a question it says so. */
export const DOUBTS = 16;
