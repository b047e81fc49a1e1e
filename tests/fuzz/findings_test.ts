/**
 * What fuzzing found, told as rules: one test a finding, beside its entry in the corpus.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { Udp } from "../../stack/udp/endpoint.ts";
import { Address } from "../../stack/wire/address.ts";
import { Protocol } from "../../stack/wire/protocol.ts";
import * as udpWire from "../../stack/wire/udp.ts";
import { BROADCAST_MAC, data, ethernet, ipv4, OWN, PEER } from "../support/frames.ts";
import { host } from "../support/host.ts";
import { udp } from "./frames/transport.ts";
import { fixChecksums } from "./frames/mutate.ts";

const LINK = 14, HEADER = 20;

Deno.test("udp: a broadcast datagram is echoed from an own address, which the checksum covers (RFC 768; tree/udp-echo-of-a-broadcast)", () => {
  const endpoint = new Udp();
  endpoint.bind({ port: 7 }, (packet) => void packet.echo());
  const echoing = host({ receive: () => endpoint.recv() });
  for (const destination of ["10.0.0.255", "255.255.255.255"]) {
    const packet = ipv4(udp(5353, 7, data(5)), { destination, protocol: Protocol.Udp });
    const frame = ethernet(packet, { destination: BROADCAST_MAC });
    for (const hasChecksum of [true, false]) {
      if (hasChecksum) udpWire.setChecksum(frame, LINK + HEADER, 0xffff);
      else udpWire.setChecksum(frame, LINK + HEADER, udpWire.NO_CHECKSUM);
      const [answer] = echoing.deliver(fixChecksums(frame));
      ok(answer !== undefined, "no answer");
      equal(udpWire.checksum(answer, LINK + HEADER) !== udpWire.NO_CHECKSUM, hasChecksum);
      ok(udpWire.verifyChecksum(answer, LINK + HEADER, Address.parse(OWN), Address.parse(PEER)));
    }
  }
});
