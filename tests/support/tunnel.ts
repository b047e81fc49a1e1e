/**
 * A host at 10.0.0.1 that ends tunnels of the peer's, 10.0.0.2: inside it is 10.9.0.1/30 and 2001:db8:9::1/64.
 *
 * @module
 */
import { protocols } from "../../stack/ip/protocols.ts";
import { Ip } from "../../stack/ip/endpoint.ts";
import type { IpIn } from "../../stack/ip/packet.ts";
import { Tunnel, type TunnelOptions } from "../../stack/tunnel/endpoint.ts";
import { ethernet, ipv4, type Ipv4Fields, OWN, PEER } from "./frames.ts";
import { type Host, host } from "./host.ts";

/** Its own address inside, and the peer's. */
export const INNER = "10.9.0.1",
  INNER_PEER = "10.9.0.2",
  INNER6 = "2001:db8:9::1",
  INNER_PEER6 = "2001:db8:9::2";

/** The host with its layers. */
export interface TunnelHost {
  readonly made: Host;
  readonly tunnel: Tunnel;
  readonly inner: Ip;
}

/** A host; `upper` takes what comes out of the tunnel, by default echoes. */
export function tunnelHost(
  options: Partial<TunnelOptions> = {},
  upper?: (packet: IpIn) => void,
): TunnelHost {
  const tunnel = new Tunnel({ local: OWN, remote: PEER, ...options });
  const inner = new Ip({ addresses: [`${INNER}/30`, `${INNER6}/64`] });
  const made = host({
    receive: ({ icmp }) =>
      protocols({
        // One endpoint stands at two places of the tree, and so does the class of IP.
        icmp: icmp.recv(tunnel.errors(() => {})),
        other: tunnel.recv(inner.recv(upper ?? icmp.answer())),
      }),
    send: () => tunnel.send(inner.layerInternal()),
  });
  return { made, tunnel, inner };
}

/** A packet in a packet of the peer's, in its frame. */
export function wrapped(packet: Uint8Array, fields: Ipv4Fields = {}): Uint8Array {
  return ethernet(
    ipv4(packet, { source: PEER, destination: OWN, protocol: packet[0]! >> 4 === 6 ? 41 : 4, ...fields }),
  );
}
