/**
 * What the `echo` benchmark drives: one slot of a NIC, requests that are put into it from a template, and the
 * trees that answer them, from the whole stack down to the bare bytes.
 *
 * @module
 */
import {
  ALL_IGNORED,
  ALL_MANUAL,
  type Capabilities,
  DeviceInfo,
  type DeviceSlot,
  Eth,
  Icmp,
  Ip,
  SlotPool,
  Udp,
} from "../../mod.ts";
import type { Receiver } from "../../stack/handler.ts";
import type { Slot } from "../../stack/slot.ts";
import { Address } from "../../stack/wire/address.ts";
import { Mac } from "../../stack/wire/mac.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import * as udpWire from "../../stack/wire/udp.ts";
import {
  concat,
  data,
  echoRequest,
  echoRequest6,
  ethernet,
  ipv4,
  OWN,
  OWN_MAC,
  PEER,
  PEER_MAC,
} from "../support/frames.ts";
import { OWN6, PEER6 } from "../support/frames-v6.ts";
import { answerBytes } from "./prototype.ts";

/** Something that answers a request, or does a part of the work. */
export interface EchoCase {
  /** What it is, in the table. */
  readonly title: string;
  /** The request that it gets. */
  readonly request: () => Uint8Array;
  /** Whether it answers, so that an answer can be expected. */
  readonly answers: boolean;
  /** What the NIC does by itself; absent: nothing. */
  readonly capabilities?: Capabilities;
  /** The tree. */
  readonly build: () => Receiver<Slot>;
}

/** ICMP data, and UDP data that makes the shortest frame. */
const PING_DATA = 56, UDP_DATA = 18;

const ping = () => echoRequest({ data: data(PING_DATA) });
const ping6 = () => echoRequest6({ data: data(PING_DATA) });

function datagram(): Uint8Array {
  const header = new Uint8Array(udpWire.HEADER_LENGTH);
  udpWire.emit(header, 0, 5_000, 7, udpWire.HEADER_LENGTH + UDP_DATA);
  const bytes = concat(header, data(UDP_DATA));
  udpWire.fillChecksum(bytes, 0, Address.parse(PEER), Address.parse(OWN));
  return ethernet(ipv4(bytes, { protocol: Protocol.Udp }));
}

function host(): { eth: Eth; ip: Ip } {
  const ip = new Ip({ addresses: [`${OWN}/24`, `${OWN6}/64`] });
  for (const peer of [PEER, PEER6]) ip.neighbours.setStatic(Address.parse(peer), Mac.parse(PEER_MAC));
  return { eth: new Eth({ mac: OWN_MAC }), ip };
}

function answeringPings(): Receiver<Slot> {
  const { eth, ip } = host();
  return eth.recv(ip.recv(new Icmp().answer()));
}

/** All cases, the whole trees first. */
export const CASES = {
  icmp: { title: "ICMP echo, eth + ip + icmp", request: ping, answers: true, build: answeringPings },
  icmpv6: { title: "ICMPv6 echo, eth + ip + icmp", request: ping6, answers: true, build: answeringPings },
  unsummed: {
    title: "ICMP echo, checksums neither verified nor filled",
    request: ping,
    answers: true,
    capabilities: ALL_IGNORED,
    build: answeringPings,
  },
  udp: {
    title: "UDP echo, eth + ip + udp",
    request: datagram,
    answers: true,
    build() {
      const { eth, ip } = host();
      const udp = new Udp();
      udp.bind({ port: 7 }, (packet) => {
        packet.echo();
      });
      return eth.recv(ip.recv(udp.recv()));
    },
  },
  ip: {
    title: "received by eth + ip, unanswered",
    request: ping,
    answers: false,
    build() {
      const { eth, ip } = host();
      return eth.recv(ip.recv(() => {}));
    },
  },
  eth: {
    title: "received by eth, unanswered",
    request: ping,
    answers: false,
    build: () => host().eth.recv(() => {}),
  },
  bytes: {
    title: "ICMP echo on bytes, no layers",
    request: ping,
    answers: true,
    build: () => ({ receive: answerBytes }),
  },
  harness: {
    title: "the harness alone: the frame put in",
    request: ping,
    answers: false,
    build: () => ({ receive() {} }),
  },
} as const satisfies Record<string, EchoCase>;

/** A case's name. */
export type CaseName = keyof typeof CASES;

/** One slot and a tree over it. */
export class EchoLoop {
  readonly #request: Uint8Array;
  readonly #slot: DeviceSlot;
  readonly #tree: Receiver<Slot>;
  readonly #answers: boolean;

  /** The loop of one case. */
  constructor({ request, build, answers, capabilities = ALL_MANUAL }: EchoCase) {
    this.#request = request();
    const pool = new SlotPool(1, 1_518, new DeviceInfo(capabilities, 1_500));
    const slot = pool.take();
    if (slot === undefined) throw new Error("a pool of one slot has none");
    this.#slot = slot;
    this.#tree = build();
    this.#answers = answers;
  }

  /** Puts the request in and hands it to the tree, `count` times. Throws unless each was answered that should be. */
  run(count: number): void {
    const slot = this.#slot, tree = this.#tree, request = this.#request;
    const { frame } = slot;
    const expected = this.#answers ? count : 0;
    let answered = 0;
    for (let turn = 0; turn < count; turn++) {
      frame.resize(request.length);
      frame.bytes.set(request, frame.start);
      slot.reset();
      tree.receive(slot);
      if (slot.leaves) answered++;
    }
    if (answered !== expected) throw new Error(`${answered} answers instead of ${expected}`);
  }

  /** The frame that the last request has become. */
  answer(): Uint8Array {
    this.run(1);
    const { bytes, start, end } = this.#slot.frame;
    return bytes.slice(start, end);
  }
}
