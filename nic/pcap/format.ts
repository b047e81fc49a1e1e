/**
 * What the reader needs to know of a file format.
 *
 * @module
 */
import type { Input } from "./input.ts";
import type { PcapInterface, PcapPacket } from "./packet.ts";

/** Takes a file of one format apart. */
export interface Format {
  /** "pcap" or "pcapng". */
  readonly name: "pcap" | "pcapng";
  /** The interfaces known so far, of the current section. */
  readonly interfaces: readonly PcapInterface[];
  /**
   * Uses up records until one is a packet; undefined: more bytes are needed.
   *
   * @throws {PcapError} The record that comes next is malformed.
   */
  next(input: Input): PcapPacket | undefined;
}
