import { deepEqual, equal, throws } from "node:assert/strict";
import { LayerError } from "../../../stack/error.ts";
import type { IcmpIn, IcmpInit, IcmpRaw } from "../../../stack/icmp/packet.ts";
import { ALL_IGNORED } from "../../../stack/slot.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Type } from "../../../stack/wire/icmpv4.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import {
  arpReply,
  BROADCAST_MAC,
  data,
  echoReply,
  echoRequest,
  ethernet,
  expectFrame,
  icmp,
  ipv4,
  OWN,
  OWN_MAC,
  PEER,
  PEER_MAC,
  read,
} from "../../support/frames.ts";
import { counted, host, type HostOptions } from "../../support/host.ts";

function done<P extends object>(result: P | number): P {
  if (typeof result === "number") throw new Error(`refused with ${result}`);
  return result;
}

/** A host whose ICMP messages go to a handler. */
function listening(handler: (packet: IcmpIn) => void, options: HostOptions = {}) {
  return host({ receive: (made) => made.icmp.recv(handler), ...options });
}

/** Asks a handler for one message, and answers with the host and what left. */
function transmit(handler: (packet: IcmpRaw) => void, options: HostOptions = {}) {
  const made = host({ send: (host) => host.icmp.send(handler), ...options });
  return { icmp: made.icmp, frames: made.transmit(1) };
}

const ECHO: IcmpInit = {
  source: new Address(),
  destination: Address.parse(PEER),
  type: Type.EchoRequest,
  code: 0,
  rest: (7 << 16) | 9,
  length: 4,
};

Deno.test("icmp: an echo request is answered with the same data, identifier and sequence number (RFC 792)", () => {
  const made = host();
  const [frame, ...more] = made.deliver(
    echoRequest({ data: data(33), icmp: { identifier: 0xfffe, sequence: 0x1234 } }),
  );
  expectFrame(frame, {
    destination: PEER_MAC,
    source: OWN_MAC,
    ip: { source: OWN, destination: PEER, protocol: Protocol.Icmp, hopLimit: 64, isChecksumRight: true },
    icmp: { type: Type.EchoReply, code: 0, identifier: 0xfffe, sequence: 0x1234, isChecksumRight: true },
    payload: data(33),
  });
  deepEqual(more, []);
  deepEqual(counted(made.icmp.counters), { received: 1, answered: 1, sent: 1 });
});

Deno.test("icmp: the answer is built in the request's own buffer", () => {
  const made = listening((packet) => {
    const { frame, payloadAt } = packet;
    const { bytes, start, end } = frame;
    const before = bytes.slice(payloadAt, end);
    equal(packet.answer(), LayerError.None);
    equal(bytes[payloadAt - 8], Type.EchoReply, "the type has changed where it lay");
    deepEqual(bytes.slice(payloadAt, end), before);
    deepEqual([frame.start, frame.end], [start, end]);
  }, { icmp: { echo: "manual" } });
  expectFrame(made.deliver(echoRequest({ data: data(64) }))[0], { payload: data(64) });
});

Deno.test("icmp: the updated checksum is what computing it anew gives, also where the sum is zero (RFC 1624 3)", () => {
  // All zero behind the type: the reply's words sum to 0, whose checksum is 0xffff and not 0.
  const zero = echoRequest({ data: new Uint8Array(8), icmp: { identifier: 0, sequence: 0 } });
  equal(checksumOf(host().deliver(zero)[0]), 0xffff);
  // The reply's words sum to 0xffff: the checksum is 0.
  const ones = echoRequest({ data: new Uint8Array(0), icmp: { identifier: 0xffff, sequence: 0 } });
  equal(checksumOf(host().deliver(ones)[0]), 0);
  for (let identifier = 0xf700; identifier <= 0xf900; identifier++) {
    const [frame] = host().deliver(echoRequest({ data: data(2), icmp: { identifier, sequence: 0 } }));
    const expected = icmp(data(2), { type: Type.EchoReply, identifier, sequence: 0 });
    deepEqual(frame?.slice(34), expected, `identifier ${identifier}`);
  }
});

function checksumOf(frame: Uint8Array | undefined): number {
  equal(read(frame).icmp?.isChecksumRight, true);
  return (frame![36]! << 8) | frame![37]!;
}

Deno.test("icmp: echoes of every length up to the MTU are answered", () => {
  const made = host();
  for (const length of [0, 1, 2, 3, 46, 47, 48, 49, 1_471, 1_472]) {
    const [frame] = made.deliver(echoRequest({ data: data(length) }));
    expectFrame(frame, { icmp: { type: Type.EchoReply, isChecksumRight: true }, payload: data(length) });
  }
});

Deno.test("icmp: a request over the MTU is answered in fragments", () => {
  const made = host({ nic: { mtu: 100, frameLength: 500 } });
  deepEqual(made.deliver(echoRequest({ data: data(100) })), []);
  deepEqual(made.transmit().map((frame) => frame.length - 34), [80, 28]);
  deepEqual(counted(made.icmp.counters), { received: 1, answered: 1, sent: 1 });
});

Deno.test("icmp: a request whose answer has nowhere to go is counted", () => {
  const made = host({ knowsPeer: false });
  deepEqual(made.deliver(echoRequest({ ip: { source: "8.8.8.8" } })), []);
  deepEqual(counted(made.icmp.counters), { received: 1, unanswered: 1 });
  deepEqual(made.transmit(), []);
});

Deno.test("icmp: the answer to somebody unknown waits for the look-up, and leaves after it (RFC 1122 2.3.2.2)", () => {
  const made = host({ knowsPeer: false });
  deepEqual(made.deliver(echoRequest()), []);
  expectFrame(made.transmit()[0], { arp: { target: PEER } });
  made.deliver(arpReply());
  const frames = made.transmit();
  equal(frames.length, 1);
  expectFrame(frames[0], {
    destination: PEER_MAC,
    ip: { source: OWN, destination: PEER, isChecksumRight: true },
    icmp: { type: Type.EchoReply, isChecksumRight: true },
  });
  deepEqual(counted(made.icmp.counters), { received: 1, answered: 1, sent: 1 });
});

Deno.test("icmp: silent mode answers nothing, and hands echo requests to nobody", () => {
  let seen = 0;
  const made = listening(() => seen++, { icmp: { echo: "silent" } });
  deepEqual(made.deliver(echoRequest(), echoReply()), []);
  equal(seen, 1, "the reply is the handler's");
  deepEqual(counted(made.icmp.counters), { received: 2, silenced: 1 });
});

Deno.test("icmp: manual mode leaves echo requests to the handler, whose answers are counted alike", () => {
  const made = listening((packet) => equal(packet.answer(), LayerError.None), { icmp: { echo: "manual" } });
  equal(made.deliver(echoRequest()).length, 1);
  deepEqual(counted(made.icmp.counters), { received: 1, answered: 1, sent: 1 });
  const nobody = host({ icmp: { echo: "manual" } });
  deepEqual(nobody.deliver(echoRequest()), []);
  deepEqual(counted(nobody.icmp.counters), { received: 1, unhandled: 1 });
});

Deno.test("icmp: the mode may be changed between poll cycles", () => {
  const made = host();
  made.icmp.echo = "silent";
  deepEqual(made.deliver(echoRequest()), []);
  made.icmp.echo = "answer";
  made.icmp.hopLimit = 7;
  expectFrame(made.deliver(echoRequest())[0], { ip: { hopLimit: 7 } });
});

Deno.test("icmp: an echo request to a group is dropped and counted, and answer is Illegal (RFC 1122 3.2.2.6)", () => {
  const request = echoRequest({ ip: { destination: "10.0.0.255" }, link: { destination: BROADCAST_MAC } });
  const made = host();
  deepEqual(made.deliver(request), []);
  deepEqual(counted(made.icmp.counters), { received: 1, groupEcho: 1 });
  const manual = listening((packet) => {
    equal(packet.answer(), LayerError.Illegal);
    equal(packet.type, Type.EchoRequest, "it is still In");
  }, { icmp: { echo: "manual" } });
  deepEqual(manual.deliver(request), []);
});

Deno.test("icmp: wrong checksums, short messages and other protocols are counted by reason", () => {
  const made = host();
  deepEqual(made.deliver(echoRequest({ icmp: { checksumError: 1 } })), []);
  deepEqual(made.deliver(ethernet(ipv4(data(7)))), []);
  deepEqual(made.deliver(ethernet(ipv4(data(8), { protocol: 99 }))), []);
  deepEqual(counted(made.icmp.counters), { wrongChecksum: 1, truncated: 1, otherProtocol: 1 });
});

Deno.test("icmp: a NIC that has verified the checksum is believed", () => {
  const made = listening(() => {}, { nic: { capabilities: ALL_IGNORED } });
  made.deliver(echoReply({ icmp: { checksumError: 1 } }));
  equal(made.icmp.counters.received, 1);
});

Deno.test("icmp: other messages reach the handler with their fields, or are counted where there is none", () => {
  const seen: unknown[] = [];
  const message = ethernet(
    ipv4(icmp(data(28), { type: Type.DestinationUnreachable, code: 3, identifier: 0, sequence: 1400 })),
  );
  listening((packet) => {
    seen.push(
      packet.type,
      packet.code,
      packet.rest,
      packet.frame.end - packet.payloadAt,
      `${packet.ip.source}`,
    );
  }).deliver(message);
  deepEqual(seen, [Type.DestinationUnreachable, 3, 1400, 28, PEER]);
  const made = host();
  made.deliver(message, ethernet(ipv4(icmp(data(8), { type: 200 }))));
  equal(made.icmp.counters.unhandled, 2, "an unknown type too (RFC 1122 3.2.2)");
});

Deno.test("icmp: prepare and send write a message with its checksum", () => {
  const { frames, icmp } = transmit((packet) => {
    const out = done(packet.prepare(ECHO));
    deepEqual([out.type, out.code, out.rest], [Type.EchoRequest, 0, ECHO.rest]);
    out.frame.bytes.set(data(4), out.payloadAt);
    equal(out.send(), LayerError.None);
  });
  expectFrame(frames[0], {
    ip: { source: OWN, destination: PEER, totalLength: 32, trafficClass: 0 },
    icmp: { type: Type.EchoRequest, identifier: 7, sequence: 9, isChecksumRight: true },
    payload: data(4),
  });
  deepEqual(counted(icmp.counters), { sent: 1 });
});

Deno.test("icmp: hop limit and traffic class are the message's, or else the endpoint's and 0", () => {
  const send = (init: IcmpInit) => (packet: IcmpRaw) => void done(packet.prepare(init)).send();
  expectFrame(transmit(send(ECHO), { icmp: { hopLimit: 3 } }).frames[0], {
    ip: { hopLimit: 3, trafficClass: 0 },
  });
  const own = { ...ECHO, hopLimit: 9, trafficClass: 0x10 };
  expectFrame(transmit(send(own), { icmp: { hopLimit: 3 } }).frames[0], {
    ip: { hopLimit: 9, trafficClass: 0x10 },
  });
});

Deno.test("icmp: a refused prepare leaves the packet Raw", () => {
  const { frames } = transmit((packet) => {
    equal(packet.prepare({ ...ECHO, length: 65_508 }), LayerError.BadSize);
    equal(packet.prepare({ ...ECHO, length: -1 }), LayerError.BadSize);
    equal(packet.prepare({ ...ECHO, destination: Address.parse("8.8.8.8") }), LayerError.Unreachable);
    done(packet.prepare({ ...ECHO, length: 1472 })).send();
  });
  equal(frames[0]?.length, 1514);
});

Deno.test("icmp: reinit turns a message into another one that keeps its payload", () => {
  const made = listening((packet) => {
    const { payloadAt } = packet;
    const { source, destination } = packet.ip;
    equal(packet.reinit({ ...ECHO, length: 99_999 }), LayerError.BadSize);
    equal(packet.reinit({ ...ECHO, length: -1 }), LayerError.BadSize);
    equal(packet.rest, (5 << 16) | 1, "refused, it is still In");
    const out = done(packet.reinit({ ...ECHO, source: destination, destination: source, length: 16 }));
    equal(out.payloadAt, payloadAt);
    out.send();
  });
  const [frame] = made.deliver(echoReply({ data: data(16) }));
  expectFrame(frame, {
    icmp: { type: Type.EchoRequest, identifier: 7, isChecksumRight: true },
    payload: data(16),
  });
});

Deno.test("icmp: deinit gives the buffer back; intoIn reads what was prepared", () => {
  const made = listening((packet) => {
    const received = done(packet.deinit().prepare(ECHO)).intoIn();
    deepEqual([received.type, received.rest, `${received.ip.destination}`], [
      Type.EchoRequest,
      ECHO.rest,
      PEER,
    ]);
    done(received.deinit().prepare({ ...ECHO, length: 1 })).send();
  });
  const [frame] = made.deliver(echoReply());
  expectFrame(frame, { ip: { totalLength: 29 }, icmp: { identifier: 7, isChecksumRight: true } });
});

for (const guard of [true, false]) {
  Deno.test(`icmp: a step through an outdated reference throws (${guard ? "guard" : "plain"} mode)`, () => {
    let kept: IcmpIn | undefined;
    const made = listening((packet) => {
      kept = packet;
      const out = done(packet.reinit(ECHO));
      throws(() => packet.reinit(ECHO));
      throws(() => packet.answer());
      throws(() => packet.ip);
      out.send();
      throws(() => out.send());
      throws(() => out.intoIn());
    }, { guard });
    made.deliver(echoReply());
    const gone = kept!;
    throws(() => gone.answer());
    const manual = listening((packet) => {
      packet.answer();
      throws(() => packet.answer(), "answered twice");
      throws(() => packet.deinit());
    }, { guard, icmp: { echo: "manual" } });
    equal(manual.deliver(echoRequest()).length, 1);
    transmit((packet) => {
      const out = done(packet.prepare(ECHO));
      throws(() => packet.prepare(ECHO));
      out.send();
    }, { guard });
  });
}

Deno.test("icmp: one endpoint at two places of one tree counts both and mixes up neither", () => {
  const seen: string[] = [];
  const made = host({
    receive: ({ icmp }) => {
      const second = icmp.recv((packet) => seen.push(`second ${packet.type}`));
      return icmp.recv((packet) => {
        second.receive(packet.ip);
        seen.push(`first ${packet.type}`);
        done(packet.deinit());
      });
    },
  });
  made.deliver(echoReply());
  deepEqual(seen, ["second 0", "first 0"]);
  equal(made.icmp.counters.received, 2);
});
