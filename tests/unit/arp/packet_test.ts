import { deepEqual, equal, throws } from "node:assert/strict";
import { External } from "../../../nic/external.ts";
import { Arp } from "../../../stack/arp/endpoint.ts";
import type { ArpIn, ArpInit, ArpRaw } from "../../../stack/arp/packet.ts";
import { LayerError } from "../../../stack/error.ts";
import { Eth } from "../../../stack/eth/endpoint.ts";
import { setGuard } from "../../../stack/guard.ts";
import { Addresses } from "../../../stack/host/addresses.ts";
import { Neighbours } from "../../../stack/host/neighbours.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Operation } from "../../../stack/wire/arp.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import {
  arpFrame,
  arpReply,
  BROADCAST_MAC,
  expectFrame,
  OWN,
  OWN_MAC,
  PEER,
  PEER_MAC,
} from "../../support/frames.ts";

/** Runs one handler over an ARP endpoint, on a received frame or on an empty buffer, and answers with what left. */
function run(
  { receive, send, frame = arpFrame(), guard = true, mtu = 1500 }: {
    receive?: (packet: ArpIn) => void;
    send?: (packet: ArpRaw) => void;
    frame?: Uint8Array;
    guard?: boolean;
    mtu?: number;
  },
): Uint8Array | undefined {
  const endpoint = new Arp({ addresses: new Addresses([`${OWN}/24`]), neighbours: new Neighbours() });
  const eth = new Eth({ mac: OWN_MAC });
  const nic = new External({ mtu });
  setGuard(guard);
  try {
    if (receive !== undefined) {
      nic.inject(frame);
      nic.rx(1, eth.recv(endpoint.recv(receive)));
    }
    if (send !== undefined) nic.tx(1, eth.send(endpoint.send(send)));
  } finally {
    setGuard(false);
  }
  return nic.take();
}

const ANNOUNCEMENT: ArpInit = {
  operation: Operation.Request,
  sender: Address.parse(OWN),
  targetMac: new Mac(),
  target: Address.parse(OWN),
  destination: Mac.broadcast(),
};

function done<P extends object>(result: P | number): P {
  if (typeof result === "number") throw new Error(`refused with ${result}`);
  return result;
}

Deno.test("arp: prepare and send announce an address (RFC 5227 2.3)", () => {
  const frame = run({ send: (packet) => equal(done(packet.prepare(ANNOUNCEMENT)).send(), LayerError.None) });
  expectFrame(frame, {
    destination: BROADCAST_MAC,
    arp: { operation: Operation.Request, senderMac: OWN_MAC, sender: OWN, target: OWN },
  });
});

Deno.test("arp: reinit writes something else into the received buffer", () => {
  const frame = run({ receive: (packet) => done(packet.reinit(ANNOUNCEMENT)).send() });
  expectFrame(frame, {
    destination: BROADCAST_MAC,
    arp: { operation: Operation.Request, sender: OWN, target: OWN },
  });
});

Deno.test("arp: deinit gives the buffer back for something new", () => {
  const frame = run({ receive: (packet) => done(packet.deinit().prepare(ANNOUNCEMENT)).send() });
  expectFrame(frame, { destination: BROADCAST_MAC, arp: { sender: OWN, target: OWN } });
});

Deno.test("arp: intoIn reads what was prepared, and it can be answered", () => {
  const frame = run({
    send: (packet) => {
      const received = done(packet.prepare(ANNOUNCEMENT)).intoIn();
      deepEqual([received.sender.toString(), received.senderMac.toString()], [OWN, OWN_MAC]);
      equal(received.answer(), LayerError.None);
    },
  });
  expectFrame(frame, {
    destination: OWN_MAC,
    arp: { operation: Operation.Reply, target: OWN, targetMac: OWN_MAC },
  });
});

Deno.test("arp: what is no request has no answer, and is still In", () => {
  const frame = run({
    frame: arpReply(),
    receive: (packet) => {
      equal(packet.answer(), LayerError.Illegal);
      equal(packet.sender.toString(), PEER);
      done(packet.deinit());
    },
  });
  equal(frame, undefined);
});

Deno.test("arp: a link too small for ARP refuses, and the packet is as it was", () => {
  run({
    mtu: 27,
    receive: (packet) => {
      equal(packet.reinit(ANNOUNCEMENT), LayerError.BadSize);
      equal(packet.senderMac.toString(), PEER_MAC);
      done(packet.deinit());
    },
    send: (packet) => {
      equal(packet.prepare(ANNOUNCEMENT), LayerError.BadSize);
      equal(packet.prepare(ANNOUNCEMENT), LayerError.BadSize);
    },
  });
});

for (const guard of [true, false]) {
  Deno.test(`arp: a step through an outdated reference throws (${guard ? "guard" : "plain"} mode)`, () => {
    let kept: ArpIn | undefined;
    run({
      guard,
      receive: (packet) => {
        kept = packet;
        const out = done(packet.reinit(ANNOUNCEMENT));
        throws(() => packet.deinit());
        throws(() => packet.answer());
        out.send();
        throws(() => out.send());
        throws(() => out.intoIn());
      },
      send: (packet) => {
        const out = done(packet.prepare(ANNOUNCEMENT));
        throws(() => packet.prepare(ANNOUNCEMENT));
        out.send();
      },
    });
    const gone = kept!;
    throws(() => gone.reinit(ANNOUNCEMENT));
    throws(() => gone.link);
    run({ guard, frame: arpReply(), receive: (packet) => kept = packet });
    const reply = kept!;
    throws(() => reply.answer(), "even what could not be answered anyway");
  });
}
