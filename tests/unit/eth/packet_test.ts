import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { LayerError } from "../../../stack/error.ts";
import { HEADROOM } from "../../../stack/frame.ts";
import type { LinkIn, LinkOut, LinkRaw } from "../../../stack/link.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { data, ethernet, expectFrame, OWN_MAC, PEER_MAC, read } from "../../support/frames.ts";
import { counted, type Host, host } from "../../support/host.ts";

const PEER = Mac.parse(PEER_MAC);

/** Delivers one frame with a payload of `length` bytes to a handler, and answers with what left. */
function receive(length: number, handler: (packet: LinkIn) => void, guard: boolean = true): Uint8Array[] {
  return host({ link: () => handler, guard }).deliver(ethernet(data(length), { etherType: 0x88b4 }));
}

/** Asks a handler for one frame, and answers with the host and what left. */
function transmit(handler: (packet: LinkRaw) => void, guard: boolean = true): [Host, Uint8Array[]] {
  const made = host({ linkSend: () => handler, guard });
  return [made, made.transmit(1)];
}

/** The step's result, which must be no failure. */
function done<P extends object>(result: P | number): P {
  if (typeof result === "number") throw new Error(`refused with ${result}`);
  return result;
}

const to = (length: number) => ({ destination: PEER, etherType: 0x88b5, length });

Deno.test("eth: prepare writes the header and leaves the payload to its filler", () => {
  const [{ eth }, [frame]] = transmit((packet) => {
    const out = done(packet.prepare(to(4)));
    equal(out.frame.end - out.payloadAt, 4);
    out.frame.bytes.set(data(4), out.payloadAt);
    equal(out.send(), LayerError.None);
  });
  expectFrame(frame, { destination: PEER_MAC, source: OWN_MAC, etherType: 0x88b5, payload: data(4) });
  deepEqual(counted(eth.counters), { sent: 1 });
});

Deno.test("eth: nothing leaves without send", () => {
  const [{ eth }, frames] = transmit((packet) => done(packet.prepare(to(4))));
  deepEqual(frames, []);
  deepEqual(counted(eth.counters), {});
});

Deno.test("eth: a payload of the MTU fits, one byte more is BadSize, and the packet is still Raw", () => {
  const [, [frame]] = transmit((packet) => {
    const { start, end } = packet.frame;
    equal(packet.prepare(to(1501)), LayerError.BadSize);
    equal(packet.prepare(to(-1)), LayerError.BadSize, "no payload is shorter than none");
    deepEqual([packet.frame.start, packet.frame.end], [start, end]);
    done(packet.prepare(to(1500))).send();
  });
  equal(frame?.length, 1514);
});

Deno.test("eth: a slot smaller than the MTU refuses what does not fit, and the packet is still Raw", () => {
  let fits = -1;
  const made = host({
    nic: { mtu: 1500, frameLength: 200 },
    linkSend: () => (packet) => {
      equal(packet.prepare(to(1500)), LayerError.BadSize);
      fits = packet.frame.limit - packet.frame.base - HEADROOM - 14;
      equal(packet.prepare(to(fits + 1)), LayerError.BadSize);
      done(packet.prepare(to(fits))).send();
    },
  });
  equal(made.transmit(1)[0]?.length, 14 + fits);
});

Deno.test("eth: reinit with the same length answers in place: no byte of the payload moves", () => {
  let before: number[] = [];
  const [frame] = receive(60, (packet) => {
    before = [packet.payloadAt, packet.frame.start, packet.frame.end];
    const out = done(packet.reinit({ destination: PEER, etherType: packet.etherType, length: 60 }));
    deepEqual([out.payloadAt, out.frame.start, out.frame.end], before);
    out.send();
  });
  expectFrame(frame, { destination: PEER_MAC, source: OWN_MAC, payload: data(60) });
});

Deno.test("eth: reinit to a shorter payload keeps its tail, where it is", () => {
  const [frame] = receive(60, (packet) => {
    const { end } = packet.frame;
    const out = done(packet.reinit(to(20)));
    equal(out.frame.end, end);
    equal(out.payloadAt, end - 20);
    out.send();
  });
  deepEqual(read(frame).payload, data(60).slice(40));
});

Deno.test("eth: reinit to a longer payload takes the room from the headroom, and the old one stays where it is", () => {
  const [frame] = receive(60, (packet) => {
    const { end, start } = packet.frame;
    const out = done(packet.reinit(to(80)));
    deepEqual([out.frame.start, out.frame.end], [start - 20, end]);
    out.frame.bytes.fill(0xee, out.payloadAt, out.payloadAt + 20);
    out.send();
  });
  deepEqual(read(frame).payload.slice(20), data(60));
});

Deno.test("eth: reinit beyond the headroom moves the payload and keeps it", () => {
  const [frame] = receive(60, (packet) => {
    const out = done(packet.reinit(to(60 + HEADROOM + 10)));
    equal(out.frame.start, out.frame.base);
    out.send();
  });
  deepEqual(read(frame).payload.slice(-60), data(60));
});

Deno.test("eth: a refused reinit leaves the packet In and its bytes untouched", () => {
  receive(60, (packet) => {
    const { bytes, start, end } = packet.frame;
    const before = bytes.slice(start, end);
    equal(packet.reinit(to(1501)), LayerError.BadSize);
    equal(packet.reinit(to(-1)), LayerError.BadSize);
    deepEqual(bytes.slice(packet.frame.start, packet.frame.end), before);
    deepEqual([packet.frame.start, packet.frame.end], [start, end]);
    equal(packet.etherType, 0x88b4);
    done(packet.reinit(to(60)));
  });
});

Deno.test("eth: deinit gives the buffer back for something new", () => {
  const [frame] = receive(60, (packet) => {
    const out = done(packet.deinit().prepare(to(3)));
    out.frame.bytes.set(data(3, 7), out.payloadAt);
    out.send();
  });
  expectFrame(frame, { destination: PEER_MAC, source: OWN_MAC, payload: data(3, 7) });
});

Deno.test("eth: intoIn reads what was prepared as if it had been received", () => {
  const [, frames] = transmit((packet) => {
    const received = done(packet.prepare(to(5))).intoIn();
    equal(received.etherType, 0x88b5);
    equal(received.frame.end - received.payloadAt, 5);
    done(received.reinit({ destination: PEER, etherType: 0x88b6, length: 5 })).send();
  });
  expectFrame(frames[0], { etherType: 0x88b6 });
});

Deno.test("eth: a NIC that cannot send a received buffer makes send Illegal; the packet is gone and counted", () => {
  const made = host({
    nic: { canAnswer: false },
    link: () => (packet) => equal(done(packet.reinit(to(10))).send(), LayerError.Illegal),
  });
  deepEqual(made.deliver(ethernet(data(10))), []);
  deepEqual(counted(made.eth.counters), { received: 1, notQueued: 1 });
});

for (const guard of [true, false]) {
  const mode = guard ? "guard mode" : "plain mode";

  Deno.test(`eth: a step through an outdated reference throws (${mode})`, () => {
    receive(10, (packet) => {
      const out = done(packet.reinit(to(10)));
      throws(() => packet.reinit(to(10)), "reinit twice");
      throws(() => packet.deinit(), "deinit of what is prepared");
      out.send();
      throws(() => out.send(), "send twice");
      throws(() => out.intoIn(), "intoIn of what is sent");
    }, guard);
    transmit((packet) => {
      const out = done(packet.prepare(to(10)));
      throws(() => packet.prepare(to(10)), "prepare twice");
      const received = out.intoIn();
      throws(() => out.send(), "send of what was taken back");
      const raw = received.deinit();
      throws(() => received.reinit(to(1)), "reinit of what was given back");
      done(raw.prepare(to(1)));
    }, guard);
  });

  Deno.test(`eth: a packet that is kept when its handler has returned can take no step (${mode})`, () => {
    let kept: LinkIn | undefined;
    let unsent: LinkOut | undefined;
    let raw: LinkRaw | undefined;
    receive(10, (packet) => kept = packet, guard);
    receive(10, (packet) => unsent = done(packet.reinit(to(10))), guard);
    transmit((packet) => raw = packet, guard);
    ok(kept !== undefined && unsent !== undefined && raw !== undefined);
    const [a, b, c] = [kept, unsent, raw];
    throws(() => a.deinit());
    throws(() => b.send());
    throws(() => c.prepare(to(1)));
  });
}

Deno.test("eth: in guard mode even reading through an outdated reference throws", () => {
  receive(10, (packet) => {
    const out = done(packet.reinit(to(10)));
    throws(() => packet.etherType, TypeError);
    out.send();
    throws(() => out.payloadAt, TypeError);
  });
});

Deno.test("eth: in guard mode a refused step leaves the reference valid", () => {
  receive(10, (packet) => {
    equal(packet.reinit(to(9_999)), LayerError.BadSize);
    equal(packet.etherType, 0x88b4);
  });
});
