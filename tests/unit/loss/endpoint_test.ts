import { deepStrictEqual, equal, ok, throws } from "node:assert/strict";
import { External } from "../../../nic/external.ts";
import { link } from "../../../nic/link/link.ts";
import { Loopback } from "../../../nic/loopback.ts";
import { LayerError } from "../../../stack/error.ts";
import { Loss, type LossOptions } from "../../../stack/loss/endpoint.ts";
import type { LossModel } from "../../../stack/loss/models.ts";
import type { Slot } from "../../../stack/slot.ts";
import { NEVER } from "../../../stack/store/time.ts";
import { echoRequest } from "../../support/frames.ts";
import { type Host, host } from "../../support/host.ts";

const FRAMES = 200;

/** Loses what the pattern says, again and again. */
function pattern(...lost: readonly boolean[]): LossModel {
  let index = 0;
  return { lost: () => lost[index++ % lost.length]! };
}

/** How many echo requests reach the host, and how many answers leave it. */
function echoes(host: Host): { answered: number; left: number } {
  let left = 0;
  for (let sequence = 0; sequence < FRAMES; sequence++) {
    left += host.deliver(echoRequest({ icmp: { sequence } })).length;
  }
  return { answered: host.icmp.counters.answered, left };
}

Deno.test("loss layer: received packets are lost before the layer above sees them", () => {
  const loss = new Loss({ rate: 0.3, direction: "ingress" });
  const { answered, left } = echoes(host({ link: (host) => loss.recv(host.ip.recv(host.icmp.answer())) }));
  equal(answered, loss.counters.passed);
  equal(left, answered, "answers are not lost");
  equal(loss.counters.passed + loss.counters.ingress, FRAMES);
  ok(loss.counters.ingress > 30 && loss.counters.ingress < 90, `${loss.counters.ingress}`);
  equal(loss.counters.egress, 0);
});

Deno.test("loss layer: answers in the received buffer are lost on egress, and the layer is not told", () => {
  const loss = new Loss({ rate: 0.3, direction: "egress" });
  const { answered, left } = echoes(host({ link: (host) => loss.recv(host.ip.recv(host.icmp.answer())) }));
  equal(answered, FRAMES);
  equal(left + loss.counters.egress, FRAMES);
  ok(loss.counters.egress > 30 && loss.counters.egress < 90, `${loss.counters.egress}`);
  equal(loss.counters.ingress, 0);
});

Deno.test("loss layer: it fits below and above IP alike", () => {
  for (const place of ["link", "receive"] as const) {
    const loss = new Loss({ pulse: { threshold: 1, reset: 2 }, direction: "ingress" });
    const options = place === "link"
      ? { link: (host: Host) => loss.recv(host.ip.recv(host.icmp.answer())) }
      : { receive: (host: Host) => loss.recv(host.icmp.answer()) };
    const { left } = echoes(host(options));
    equal(left, FRAMES / 2, place);
  }
});

Deno.test("loss layer: two of them in one tree both lose, each by its own count", () => {
  const below = new Loss({ model: pattern(true, false), direction: "egress" });
  const above = new Loss({ model: pattern(true, true, false, false), direction: "egress" });
  const { left } = echoes(host({
    link: (host) => below.recv(host.ip.recv(above.recv(host.icmp.answer()))),
  }));
  equal(below.counters.egress, FRAMES / 2);
  equal(above.counters.egress, FRAMES / 2);
  equal(left, FRAMES / 4);
});

Deno.test("loss layer: both directions, a rate and a pulse at once", () => {
  const loss = new Loss({ rate: 0.1, pulse: { threshold: 9, reset: 10 }, seed: 0 });
  const { left } = echoes(host({ link: (host) => loss.recv(host.ip.recv(host.icmp.answer())) }));
  const { ingress, egress, passed } = loss.counters;
  equal(ingress + passed, FRAMES);
  equal(passed, left + egress);
  ok(ingress > 20 && egress > 20, `${ingress} ${egress}`);
});

Deno.test("loss layer: what a sender fills may be lost, and it goes on sending", () => {
  const loss = new Loss({ model: pattern(false, true) });
  let asked = 0;
  const sending = host({
    linkSend: (host) =>
      loss.send((packet) => {
        if (asked++ === 10) return;
        const out = packet.prepare({ destination: host.eth.mac, etherType: 0x88b5, length: 46 });
        ok(typeof out !== "number");
        equal(out.send(), LayerError.None);
      }),
  });
  equal(sending.transmit().length, 5);
  equal(asked, 11);
  equal(loss.counters.egress, 5);
});

Deno.test("loss layer: a sender's deadline is the upper one's", () => {
  const loss = new Loss({ rate: 0.5 });
  equal(loss.send({ send: () => {}, deadline: () => 42 }).deadline(), 42);
  equal(loss.send(() => {}).deadline(), NEVER);
});

Deno.test("loss layer: it wraps the slots of every NIC in memory", () => {
  const queue = (slot: Slot) => {
    slot.frame.resize(60);
    slot.queue();
  };
  const lossy = () => new Loss({ model: pattern(true, false, false) }).send(queue);
  const external = new External();
  equal(external.tx(30, lossy()), 30, "the sender is not told");
  equal(external.counters.sent, 20);
  const loopback = new Loopback();
  equal(loopback.tx(30, lossy()), 30);
  equal(loopback.counters.sent, 20);
  equal(loopback.rx(30, { receive: () => {} }), 20);
  const [left, right] = link();
  equal(left.tx(30, lossy()), 30);
  equal(left.counters.sent, 20);
  equal(right.rx(30, new Loss({ model: pattern(true, false), direction: "ingress" }).recv(() => {})), 20);
});

Deno.test("loss layer: a slot forgets a loss model with its frame", () => {
  const nic = new External({ slots: 1 });
  const queue = (slot: Slot) => {
    slot.frame.resize(60);
    slot.queue();
  };
  nic.tx(1, new Loss({ rate: 1 }).send(queue));
  nic.tx(1, { send: queue });
  ok(nic.take() !== undefined);
});

Deno.test("loss layer: equal seeds lose the same packets, seed 0 included; other seeds others", () => {
  const left = (seed?: number) => {
    const loss = new Loss({ rate: 0.5, ...(seed === undefined ? {} : { seed }) });
    const bare = host({ link: (host) => loss.recv(host.ip.recv(host.icmp.answer())) });
    return Array.from({ length: 64 }, () => bare.deliver(echoRequest()).length);
  };
  deepStrictEqual(left(0), left(0));
  deepStrictEqual(left(), left(0), "0 is the default");
  ok(left(0).includes(0) && left(0).includes(1));
  ok(left(0).join() !== left(1).join());
});

Deno.test("loss layer: options that describe no loss are refused", () => {
  const wrong: readonly LossOptions[] = [{ rate: 1.5 }, { rate: NaN }, { pulse: { threshold: 2, reset: 1 } }];
  for (const options of wrong) throws(() => new Loss(options), RangeError);
  const none = new Loss({});
  const { left } = echoes(host({ link: (host) => none.recv(host.ip.recv(host.icmp.answer())) }));
  equal(left, FRAMES);
});
