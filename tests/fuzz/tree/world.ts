/**
 * A host on a NIC whose every buffer is watched: what lies outside of a frame is poisoned, so that whoever reads it
 * behaves differently in another world, and whoever writes to another buffer is caught.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { External } from "../../../nic/external.ts";
import { Eth } from "../../../stack/eth/endpoint.ts";
import { setGuard } from "../../../stack/guard.ts";
import type { Receiver, TimedSender } from "../../../stack/handler.ts";
import { NeighbourState } from "../../../stack/host/neighbours.ts";
import { Icmp } from "../../../stack/icmp/endpoint.ts";
import { Ip } from "../../../stack/ip/endpoint.ts";
import type { IpIn } from "../../../stack/ip/packet.ts";
import { protocols } from "../../../stack/ip/protocols.ts";
import type { Slot } from "../../../stack/slot.ts";
import { Udp } from "../../../stack/udp/endpoint.ts";
import { Address } from "../../../stack/wire/address.ts";
import * as ethernetWire from "../../../stack/wire/ethernet.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import * as vlanWire from "../../../stack/wire/vlan.ts";
import { concat, OWN_MAC, PEER_MAC } from "../../support/frames.ts";
import { PEER6, PEER_LOCAL6 } from "../../support/frames-v6.ts";
import { GROUP, GROUP_MAC } from "../frames/pools.ts";
import { account, type Audited, auditReceived, auditSent } from "./books.ts";
import { Asking } from "./asking.ts";
import { checkAnswer, checkFrame, checkQuotation } from "./outgoing.ts";
import { type Profile, type ProfileName, profileOf } from "./profiles.ts";
import { Program } from "./program.ts";
import type { Step } from "./script.ts";

/** How many buffers a NIC has. */
const SLOTS = 4;

/** How often a sender may be asked until it wants to be asked later: its tables are all smaller. */
const PATIENCE = 64;

// An arena is WebAssembly memory, of which an engine does not like to make thousands.
const nics = new Map<string, External>();

/** A host whose steps are watched. */
export class World implements Audited {
  readonly nic: External;
  readonly eth: Eth;
  readonly ip: Ip;
  readonly icmp: Icmp;
  readonly udp: Udp;
  readonly program: Program;
  others = 0;
  /** What has happened, to be compared with another world's. */
  readonly log: string[] = [];
  readonly #poison: number;
  readonly #receiver: Receiver<Slot>;
  readonly #sender: TimedSender<Slot>;
  #bytesIn = 0;
  #bytesOut = 0;
  #said = 0;

  /** A new host; `guard`: packets are lent through wrappers that can be revoked. */
  constructor(name: ProfileName, guard: boolean, poison: number) {
    const profile = profileOf(name);
    this.#poison = poison;
    this.nic = nicOf(`${name} ${guard}`, profile);
    this.nic.setTime(0);
    this.eth = new Eth({ mac: OWN_MAC, promiscuous: profile.promiscuous ?? false });
    this.eth.join(Mac.parse(GROUP_MAC));
    this.ip = new Ip(profile.ip);
    this.ip.addresses.join(Address.parse(GROUP));
    // Nobody speaks NDP here, so the peer's link address is known from the start.
    if ([...this.ip.addresses].some(({ isV4 }) => !isV4)) {
      for (const peer of [PEER6, PEER_LOCAL6]) {
        this.ip.neighbours.setStatic(Address.parse(peer), Mac.parse(PEER_MAC));
      }
    }
    this.icmp = new Icmp(profile.icmp);
    this.udp = new Udp((profile.reports ?? true) ? { unreachable: this.icmp } : {});
    this.program = new Program(this.udp, this.icmp);
    setGuard(guard);
    try {
      this.#receiver = this.#watchReceiver(this.#receiveTree(profile.reports ?? true));
      this.#sender = this.#watchSender(
        this.eth.send(this.ip.send(this.udp.send((packet) => this.program.fill(packet)))),
      );
    } finally {
      setGuard(false);
    }
  }

  #receiveTree(reports: boolean): Receiver<Slot> {
    const icmp = this.icmp.recv(this.udp.errors((packet) => this.program.message(packet)));
    const other = (packet: IpIn) => {
      this.others++;
      if (!reports) return;
      this.icmp.unknownProtocol(packet);
    };
    return this.eth.recv(this.ip.recv(protocols({ icmp, udp: this.udp.recv(), other })));
  }

  /** Lets a step happen, and looks at what must hold then. */
  step(step: Step): void {
    switch (step.kind) {
      case "rx":
        for (const frame of step.frames) this.log.push(`in ${this.nic.inject(frame)}`);
        this.nic.rx(SLOTS, this.#receiver);
        break;
      case "wait":
        this.nic.setTime(this.nic.now() + step.time);
        break;
      case "say":
        this.#said += 42 + step.length;
        this.program.say({ to: Address.parse(step.to), port: step.port, length: step.length });
        break;
      case "tx":
        this.nic.tx(step.max, this.#sender);
        break;
    }
    this.#drain();
    this.#checkTables();
  }

  /** Lets the host say all that it has to say now, and looks at what must hold in the end. */
  finish(): void {
    this.#settle();
    this.#checkAmplification();
    for (let count = 0; count < SLOTS; count++) {
      ok(this.nic.inject(new Uint8Array(0)), "a buffer was not given back");
    }
    equal(this.nic.inject(new Uint8Array(0)), false, "a buffer was given back twice");
    equal(this.nic.rx(SLOTS, { receive: () => {} }), SLOTS);
    for (const { counters } of [this.eth, this.ip, this.ip.arp, this.icmp, this.udp]) {
      this.log.push(JSON.stringify(counters));
    }
    this.log.push(`${this.program.handed} ${this.program.errors} ${this.program.refused} ${this.others}`);
  }

  /** Asks the sender until it wants to be asked later. What the program has waits for answers and does not count. */
  #settle(): void {
    for (let count = 0;; count++) {
      this.nic.tx(SLOTS, this.#sender);
      this.#drain();
      if (this.#sender.deadline() > this.nic.now()) return;
      ok(count < PATIENCE, "the sender always wants to be asked again at once");
    }
  }

  #drain(): void {
    for (let frame = this.nic.take(); frame !== undefined; frame = this.nic.take()) {
      equal(`out ${frame.toHex()}`, this.#left.shift(), "the NIC sends what the tree has queued");
    }
    deepEqual(this.#left, [], "the NIC sends all that the tree has queued");
    const deadline = this.#sender.deadline();
    ok(deadline >= 0, `a deadline of ${deadline}`);
    this.log.push(`deadline ${deadline}`);
  }

  #checkTables(): void {
    const { neighbours } = this.ip;
    let unresolved = 0;
    for (const { state } of neighbours.entries(this.nic.now())) {
      if (state === NeighbourState.Incomplete) unresolved++;
    }
    ok(
      unresolved <= Math.ceil(neighbours.capacity / 4),
      `${unresolved} look-ups of ${neighbours.capacity} entries`,
    );
    ok(neighbours.size - unresolved <= neighbours.capacity, "more neighbours than the cache holds");
  }

  /** What leaves is what came in and some bytes of ICMP's and ARP's, and what the program has said. */
  #checkAmplification(): void {
    const { ip, icmp } = this;
    // A look-up is asked for three times; the use of a neighbour has it confirmed, until its entry lapses.
    const { lookups } = ip.neighbours.counters, uses = ip.counters.sent + ip.counters.notSent;
    const requests = ip.arp.counters.sent - ip.arp.counters.requests - ip.arp.conflicts.counters.defended;
    ok(requests <= 3 * lookups + 16 * uses, `${requests} ARP requests for ${lookups} look-ups`);
    const most = this.#bytesIn + 48 * icmp.counters.errorsSent + 42 * ip.arp.counters.sent + this.#said +
      48 * ip.counters.errorsSent + 62 * ip.counters.fragmentsSent;
    ok(this.#bytesOut <= most, `${this.#bytesOut} bytes out for ${this.#bytesIn} in`);
  }

  readonly #left: string[] = [];
  readonly #asking = new Asking();

  #watchReceiver(tree: Receiver<Slot>): Receiver<Slot> {
    return {
      receive: (slot) => {
        const { frame } = slot;
        this.#poisonAround(slot);
        const received = withoutPriority(frame.bytes.slice(frame.start, frame.end));
        this.#bytesIn += frame.length;
        const before = account(this);
        const { handed, errors } = this.program;
        const others = this.#others(slot);
        tree.receive(slot);
        others();
        auditReceived(before, account(this), slot.leaves, this.program.handed - handed);
        if (this.program.errors > errors) checkQuotation(received);
        if (slot.leaves) this.#leaves(slot, (answer) => checkAnswer(received, answer, this.#self(slot)));
      },
    };
  }

  #watchSender(tree: TimedSender<Slot>): TimedSender<Slot> {
    return {
      send: (slot) => {
        this.#poisonAround(slot);
        const before = account(this);
        const others = this.#others(slot);
        tree.send(slot);
        others();
        auditSent(before, account(this), slot.leaves);
        if (!slot.leaves) return;
        this.#leaves(slot, (frame) => {
          checkFrame(frame, this.#self(slot));
          this.#asking.note(frame, this.nic.now(), this.ip.neighbours.counters.lookups);
        });
      },
      deadline: () => tree.deadline(),
    };
  }

  #leaves(slot: Slot, check: (frame: Uint8Array) => void): void {
    const { bytes, base, limit, start, end } = slot.frame;
    ok(base <= start && start <= end && end <= limit, "a frame that leaves lies in its slot");
    const frame = bytes.slice(start, end);
    check(frame);
    this.#bytesOut += frame.length;
    this.#left.push(`out ${frame.toHex()}`);
    this.log.push(this.#left.at(-1)!);
  }

  #self(slot: Slot) {
    return { mac: this.eth.mac, ip: this.ip, mtu: slot.info.mtu, capabilities: slot.info.capabilities };
  }

  #poisonAround({ frame }: Slot): void {
    frame.bytes.fill(this.#poison, frame.base, frame.start);
    frame.bytes.fill(this.#poison, frame.end, frame.limit);
  }

  /** Answers with what checks that no other slot has changed since. */
  #others({ frame: { bytes, base, limit } }: Slot): () => void {
    const before = bytes.slice(0, SLOTS * (limit - base));
    return () => {
      for (let at = 0; at < before.length; at++) {
        if (at === base) at = limit;
        if (at < before.length && bytes[at] !== before[at]) {
          ok(false, "a buffer was written to that is somebody else's");
        }
      }
    };
  }
}

function nicOf(key: string, profile: Profile): External {
  const known = nics.get(key);
  // One that a failed run has left with frames in it, or closed, is not used again.
  if (known !== undefined && isIdle(known)) return known;
  const nic = new External({ slots: SLOTS, ...profile.nic });
  nics.set(key, nic);
  return nic;
}

function isIdle(nic: External): boolean {
  if (nic.take() !== undefined || nic.rx(1, { receive: () => {} }) > 0) return false;
  let free = 0;
  while (free < SLOTS && nic.inject(new Uint8Array(0))) free++;
  return nic.rx(SLOTS, { receive: () => {} }) === SLOTS;
}

/** The frame without a tag that tells a priority and no VLAN, which is as good as none. */
function withoutPriority(frame: Uint8Array): Uint8Array {
  const isPriority = frame.length >= 18 && ethernetWire.etherType(frame, 0) === ethernetWire.EtherType.Vlan &&
    vlanWire.id(frame, 14) === 0;
  return isPriority ? concat(frame.slice(0, 12), frame.slice(16)) : frame;
}
