/**
 * What the fuzzed host's program does: a handler for each use that can be made of a received datagram, and datagrams of
 * its own to send.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import type { Icmp } from "../../../stack/icmp/endpoint.ts";
import type { IcmpIn } from "../../../stack/icmp/packet.ts";
import { LayerError } from "../../../stack/error.ts";
import type { Udp } from "../../../stack/udp/endpoint.ts";
import type { UdpIn, UdpInit, UdpOut, UdpRaw } from "../../../stack/udp/packet.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Problem, Type } from "../../../stack/wire/icmpv4.ts";
import * as udpWire from "../../../stack/wire/udp.ts";
import { PEER } from "../../support/frames.ts";
import { GROUP, PEER_PORT, Port } from "../frames/pools.ts";

/** A datagram that is to be sent. */
export interface Said {
  readonly to: Address;
  readonly port: number;
  readonly length: number;
}

/** How often a datagram is tried: a program that tries for ever keeps the host asking for neighbours for ever. */
const TRIES = 3;

/** At most so many wait; a program would not take more of its user. */
const WAITING = 8;

/** What a program's bytes are, so that nothing of a buffer's past leaves by its fault. */
const FILLER = 0x5a;

/** Handlers at some ports, and what they saw. */
export class Program {
  /** Datagrams and messages handed over. */
  handed = 0;
  /** ICMP errors handed over. */
  errors = 0;
  /** Datagrams given up because they can never be sent. */
  refused = 0;
  readonly #icmp: Icmp;
  readonly #waiting: { readonly said: Said; tries: number }[] = [];

  /** Binds the handlers. */
  constructor(udp: Udp, icmp: Icmp) {
    this.#icmp = icmp;
    const bind = (port: number, handler: (packet: UdpIn) => void) => {
      ok(udp.bind({ port }, (packet) => this.#hand(packet, handler)) !== undefined);
    };
    bind(Port.Echo, (packet) => void packet.echo());
    bind(Port.Discard, () => {});
    bind(Port.Short, (packet) => sendOff(packet.answer(packet.length >> 1)));
    bind(Port.Swap, swap);
    bind(Port.Anew, anew);
    for (const address of [undefined, Address.parse(GROUP)]) {
      udp.bind({ port: Port.Group, ...(address === undefined ? {} : { address }) }, (packet) => {
        this.#hand(packet, () => {});
      });
    }
    udp.bind(
      {
        port: Port.Connected,
        peer: { address: Address.parse(PEER), port: PEER_PORT },
        onError: () => this.errors++,
      },
      (packet) => this.#hand(packet, (packet) => void packet.echo()),
    );
  }

  /** How many datagrams wait to be sent. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Has a datagram sent at the next opportunity. */
  say(said: Said): void {
    if (this.#waiting.length < WAITING) this.#waiting.push({ said, tries: 0 });
  }

  /** Takes what ICMP hands up, in manual mode echo requests too; about what cannot be answered it tries to complain. */
  message(packet: IcmpIn): void {
    this.handed++;
    ok(packet.frame.end >= packet.payloadAt, "a message ends before its payload begins");
    const { ip } = packet;
    if (packet.answer() !== LayerError.None) this.#icmp.report(ip, Type.ParameterProblem, Problem.Pointer);
  }

  /** Sends what waits; the oldest goes first, and goes back in the queue while its next hop is being asked for. */
  fill(packet: UdpRaw): void {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    const out = packet.prepare(initOf(next.said));
    if (typeof out !== "number") {
      fillPayload(out);
      out.send();
    } else if (out !== LayerError.BadSize && out !== LayerError.Illegal && ++next.tries < TRIES) {
      this.#waiting.push(next);
    } else this.refused++;
  }

  #hand(packet: UdpIn, handler: (packet: UdpIn) => void): void {
    this.handed++;
    const { frame, payloadAt } = packet;
    const told = udpWire.length(frame.bytes, payloadAt - udpWire.HEADER_LENGTH);
    equal(packet.length, told - udpWire.HEADER_LENGTH, "a payload is as long as its header says");
    equal(frame.end, payloadAt + packet.length, "a payload ends where its frame does");
    ok(packet.length >= 0 && frame.end <= frame.limit, "a payload lies in its slot");
    handler(packet);
  }
}

/** Answers through an init of its own, with a payload that is one byte shorter. */
function swap(packet: UdpIn): void {
  const init: UdpInit = {
    source: new Address(),
    destination: new Address().copy(packet.ip.source),
    sourcePort: packet.destinationPort,
    destinationPort: packet.sourcePort,
    length: Math.max(0, packet.length - 1),
    hopLimit: 1,
    trafficClass: 0xff,
  };
  sendOff(packet.reinit(init));
}

/** Gives the buffer back, makes a new datagram in it, takes that as received, and sends it on. */
function anew(packet: UdpIn): void {
  const to = new Address().copy(packet.ip.source);
  const port = packet.sourcePort;
  const length = Math.min(packet.length, 16);
  const out = packet.deinit().prepare(initOf({ to, port, length }));
  if (typeof out === "number") return;
  fillPayload(out);
  const again = out.intoIn();
  sendOff(again.reinit({ ...initOf({ to, port, length }), source: new Address().copy(again.ip.source) }));
}

function sendOff(out: UdpOut | number): void {
  if (typeof out !== "number") out.send();
}

function fillPayload(out: UdpOut): void {
  out.frame.bytes.fill(FILLER, out.payloadAt, out.frame.end);
}

function initOf({ to, port, length }: Said): UdpInit {
  return { source: new Address(), destination: to, sourcePort: Port.Discard, destinationPort: port, length };
}
