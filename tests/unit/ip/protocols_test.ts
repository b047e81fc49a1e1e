import { deepEqual } from "node:assert/strict";
import { protocols } from "../../../stack/ip/protocols.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import { data, ethernet, ipv4 } from "../../support/frames.ts";
import { host } from "../../support/host.ts";

const frame = (protocol: number) => ethernet(ipv4(data(8), { protocol }));

Deno.test("protocols: each packet goes to the handler of its protocol, and every other one to `other`", () => {
  const seen: string[] = [];
  const note = (name: string) => () => void seen.push(name);
  const fork = protocols({ icmp: note("icmp"), udp: note("udp"), tcp: note("tcp"), other: note("other") });
  host({ receive: () => fork }).deliver(...[Protocol.Icmp, Protocol.Udp, Protocol.Tcp, 99].map(frame));
  deepEqual(seen, ["icmp", "udp", "tcp", "other"]);
});

Deno.test("protocols: a protocol without a handler goes to `other`, and without that nowhere", () => {
  const seen: number[] = [];
  const fork = protocols({ icmp: () => {}, other: (packet) => void seen.push(packet.protocol) });
  host({ receive: () => fork }).deliver(...[Protocol.Icmp, Protocol.Udp, Protocol.Tcp].map(frame));
  deepEqual(seen, [Protocol.Udp, Protocol.Tcp]);
  deepEqual(host({ receive: () => protocols({}) }).deliver(frame(Protocol.Udp)), []);
});
