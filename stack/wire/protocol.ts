/**
 * The numbers of IPv4's protocol and IPv6's next header field, one registry for both (IANA "Protocol
 * Numbers").
 *
 * @module
 */

/** What follows an IP header; the IPv6 extension headers among them. */
export const Protocol = {
  /** RFC 8200 4.3, an extension header. */
  HopByHop: 0,
  /** RFC 792. */
  Icmp: 1,
  /** RFC 3376. */
  Igmp: 2,
  /** RFC 2003, IPv4 in IP. */
  Ipv4: 4,
  /** RFC 9293. */
  Tcp: 6,
  /** RFC 768. */
  Udp: 17,
  /** RFC 2473, IPv6 in IP. */
  Ipv6: 41,
  /** RFC 8200 4.4, an extension header. */
  Routing: 43,
  /** RFC 8200 4.5, an extension header. */
  Fragment: 44,
  /** RFC 2784. */
  Gre: 47,
  /** RFC 4303. */
  Esp: 50,
  /** RFC 4302, an extension header. */
  Authentication: 51,
  /** RFC 4443. */
  Icmpv6: 58,
  /** RFC 8200 4.7: nothing follows. */
  None: 59,
  /** RFC 8200 4.6, an extension header. */
  Destination: 60,
  /** RFC 9260. */
  Sctp: 132,
} as const;
/** One of {@linkcode Protocol}'s numbers. */
export type Protocol = (typeof Protocol)[keyof typeof Protocol];

/** The protocol in words, for printing. */
export function protocolName(protocol: number): string {
  for (const [name, number] of Object.entries(Protocol)) if (number === protocol) return NAMES[name] ?? name;
  return `protocol ${protocol}`;
}

const NAMES: Readonly<Record<string, string>> = {
  HopByHop: "hop-by-hop",
  Icmp: "ICMP",
  Igmp: "IGMP",
  Ipv4: "IPv4",
  Tcp: "TCP",
  Udp: "UDP",
  Ipv6: "IPv6",
  Routing: "routing",
  Fragment: "fragment",
  Gre: "GRE",
  Esp: "ESP",
  Authentication: "AH",
  Icmpv6: "ICMPv6",
  None: "no next header",
  Destination: "destination options",
  Sctp: "SCTP",
};
