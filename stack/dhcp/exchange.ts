/**
 * The messages of a client that belong together: their number, their time, and how they are sent.
 *
 * @module
 */
import { LayerError } from "../error.ts";
import { type Instant, milliseconds, NEVER, seconds } from "../store/time.ts";
import type { UdpRaw } from "../udp/packet.ts";
import { Address } from "../wire/address.ts";
import * as dhcp from "../wire/dhcpv4.ts";
import { Backoff } from "./backoff.ts";
import { type ClientIdentity, type ClientMessage, MESSAGE_MAX, writeMessage } from "./message.ts";
import type { DhcpClientCounters } from "./state.ts";

/** What a message says beside the exchange's number and time. */
export type ClientFields = Pick<ClientMessage, "type"> & Partial<ClientMessage>;

/** To all on the link. */
export const BROADCAST: Address = new Address().setV4(-1);

const NOBODY = new Address().setV4(0);

/** A datagram that waits for its neighbour is tried again so often, and given up after so long. */
const RETRY: Instant = milliseconds(20), PATIENCE: Instant = seconds(3);

/** One exchange after the other. */
export class Exchange {
  /** The number that ties replies to it. */
  xid = 0;
  /** Paces its repetitions. */
  readonly backoff: Backoff;
  readonly #random: () => number;
  readonly #identity: ClientIdentity;
  readonly #counters: DhcpClientCounters;
  readonly #bytes = new Uint8Array(MESSAGE_MAX);
  #began: Instant = NEVER;
  #secs = 0;
  /** Since when a message waits for its neighbour. */
  #waits: Instant = NEVER;

  /** `random` answers with 32 random bits. */
  constructor(identity: ClientIdentity, random: () => number, counters: DhcpClientCounters) {
    this.#identity = identity;
    this.#random = random;
    this.#counters = counters;
    this.backoff = new Backoff(random);
  }

  /** Begins a new one: with another number, and repetitions from the start. */
  begin(): void {
    this.xid = this.#random() | 0;
    this.backoff.reset();
    this.#began = NEVER;
    this.#waits = NEVER;
  }

  /**
   * Sends a message; `isFollowUp`: its field secs is what the one before had (RFC 2131 4.4.1: a request that follows an
   * offer). Answers with when it is to be tried again since it waits for its neighbour; {@linkcode NEVER}: it does not.
   */
  send(raw: UdpRaw, message: ClientFields, destination: Address, isFollowUp: boolean = false): Instant {
    const now = raw.info.timestamp;
    if (this.#began === NEVER) this.#began = now;
    if (!isFollowUp) this.#secs = Math.min(0xffff, Math.floor((now - this.#began) / seconds(1)));
    const { own } = message;
    const length = writeMessage(this.#bytes, this.#identity, {
      xid: this.xid,
      secs: this.#secs,
      own,
      requested: undefined,
      server: undefined,
      ...message,
    }, raw.info.mtu);
    const out = raw.prepare({
      source: own ?? NOBODY,
      destination,
      sourcePort: dhcp.CLIENT_PORT,
      destinationPort: dhcp.SERVER_PORT,
      length,
      fromNobody: own === undefined,
      // Whoever is done with its lease must know when the server has been told.
      mayWait: false,
    });
    if (out === LayerError.Unreachable && destination !== BROADCAST) {
      if (this.#waits === NEVER) this.#waits = now;
      if (now < this.#waits + PATIENCE) return now + RETRY;
    }
    this.#waits = NEVER;
    if (typeof out === "number") {
      this.#counters.notSent++;
      return NEVER;
    }
    out.frame.bytes.set(this.#bytes.subarray(0, length), out.payloadAt);
    if (out.send() === LayerError.None) this.#counters.sent++;
    else this.#counters.notSent++;
    return NEVER;
  }
}
