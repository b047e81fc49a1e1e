import { equal } from "node:assert/strict";
import { Protocol, protocolName } from "../../../stack/wire/protocol.ts";

Deno.test("protocol: the numbers are IANA's", () => {
  equal(Protocol.Icmp, 1);
  equal(Protocol.Igmp, 2);
  equal(Protocol.Tcp, 6);
  equal(Protocol.Udp, 17);
  equal(Protocol.Icmpv6, 58);
});

Deno.test("protocol: every known number has a name of its own, others print their number", () => {
  const names = Object.values(Protocol).map(protocolName);
  equal(new Set(names).size, Object.keys(Protocol).length);
  equal(protocolName(Protocol.Tcp), "TCP");
  equal(protocolName(253), "protocol 253");
});
