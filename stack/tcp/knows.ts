/**
 * Whose a segment is, where several endpoints share one host's addresses.
 *
 * @module
 */
import type { Address } from "../wire/address.ts";
import type { Tcp } from "./endpoint.ts";

/** Whether segments between these two belong to a connection of the endpoint, one in TIME-WAIT included. */
export function knowsConnection(
  tcp: Tcp,
  local: Address,
  localPort: number,
  remote: Address,
  remotePort: number,
): boolean {
  return tcp.connections.find(local, localPort, remote, remotePort) !== undefined ||
    tcp.timeWaits.find(local, localPort, remote, remotePort) >= 0;
}
