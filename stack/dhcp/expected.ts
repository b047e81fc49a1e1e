/**
 * Which replies a DHCP client waits for: RFC 2131 4.4 by state.
 *
 * @module
 */
import type { Address } from "../wire/address.ts";
import { MessageType } from "../wire/dhcpv4.ts";
import type { Lease } from "./lease.ts";
import { DhcpState } from "./state.ts";

/** What a client has said that it wants. */
export interface Wish {
  readonly state: DhcpState;
  /** What was offered and is asked for. */
  readonly candidate: Lease | undefined;
  /** What it has. */
  readonly lease: Lease | undefined;
  /** The address of an earlier life. */
  readonly wanted: Address | undefined;
}

/** Whether such a message from such a server is what the client waits for. */
export function isAwaited(wish: Wish, type: number, server: Address | undefined): boolean {
  if (server === undefined) return false;
  if (type === MessageType.Offer) return wish.state === DhcpState.Selecting;
  if (type !== MessageType.Ack && type !== MessageType.Nak) return false;
  switch (wish.state) {
    case DhcpState.Requesting:
      return server.equals(wish.candidate!.server);
    case DhcpState.Renewing:
      return server.equals(wish.lease!.server);
    case DhcpState.Rebooting:
    case DhcpState.Rebinding:
      return true;
    default:
      return false;
  }
}

/** Whether an address that is offered or acknowledged is what was asked for. */
export function isAsked(wish: Wish, address: Address): boolean {
  switch (wish.state) {
    case DhcpState.Selecting:
      return true;
    case DhcpState.Requesting:
      return address.equals(wish.candidate!.address);
    case DhcpState.Rebooting:
      return address.equals(wish.wanted!);
    default:
      return address.equals(wish.lease!.address);
  }
}
