/**
 * Telling a NIC whom it is for, as long as that changes.
 *
 * @module
 */
import type { Mac } from "../stack/wire/mac.ts";
import type { Claimed, Nic } from "./device.ts";

/** A host's addresses, and a number that grows when they change. */
export interface ClaimedAddresses extends Iterable<Claimed> {
  /** Grows with every change. */
  readonly version: number;
}

/** Keeps the claim of a host on a NIC up to date. */
export class Claim {
  readonly #nic: Nic;
  readonly #mac: Mac;
  readonly #addresses: ClaimedAddresses;
  #version: number;

  /** Claims at once. */
  constructor(nic: Nic, mac: Mac, addresses: ClaimedAddresses) {
    this.#nic = nic;
    this.#mac = mac;
    this.#addresses = addresses;
    this.#version = addresses.version;
    nic.claim?.(mac, addresses);
  }

  /** Claims anew if the addresses have changed since; to be called once a poll cycle. */
  follow(): void {
    if (this.#addresses.version === this.#version) return;
    this.#version = this.#addresses.version;
    if (this.#nic.failure === undefined) this.#nic.claim?.(this.#mac, this.#addresses);
  }
}
