/**
 * Addresses as Deno's and Node's APIs write them.
 *
 * @module
 */
import { Address } from "../stack/wire/address.ts";
import { coded, codeError } from "./errors.ts";

/** Where a TCP connection or listener is: assignable to `Deno.NetAddr`. */
export interface TcpAddr {
  /** "tcp". */
  readonly transport: "tcp";
  /** The address in text. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
}

/** Where a datagram socket is: assignable to `Deno.NetAddr`. */
export interface UdpAddr {
  /** "udp". */
  readonly transport: "udp";
  /** The address in text. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
}

/** A port that can be listened on; 0: any. Throws a RangeError for any other number. */
export function checkPort(port: number, least: number = 0): number {
  if (Number.isInteger(port) && port >= least && port <= 0xffff) return port;
  throw new RangeError(`a port is a whole number from ${least} to 65535, not ${port}`);
}

/** The address that a hostname writes, with or without the brackets of a URL; undefined: it is a name. */
export function tryHostname(hostname: string): Address | undefined {
  const text = hostname.startsWith("[") && hostname.endsWith("]") ? hostname.slice(1, -1) : hostname;
  return Address.tryParse(text);
}

/**
 * The address that a hostname writes.
 *
 * @throws {Error} with code ENOTFOUND when it is a name
 */
export function parseHostname(hostname: string): Address {
  const address = tryHostname(hostname);
  if (address !== undefined) return address;
  const { message } = codeError("ENOTFOUND", "getaddrinfo", hostname);
  throw coded(new Deno.errors.NotFound(`${message}: an own address is wanted, not a name`), "ENOTFOUND");
}
