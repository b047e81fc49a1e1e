import { deepStrictEqual, equal, match, ok, throws } from "node:assert/strict";
import { Bridge, FLOOD, NOWHERE } from "../../../nic/link/bridge.ts";
import { Fate } from "../../../nic/link/fate.ts";
import { Network, type NetworkOptions } from "../../../nic/link/network.ts";
import type { HostOptions, Port } from "../../../nic/link/port.ts";
import type { Slot } from "../../../stack/slot.ts";
import { type Instant, NEVER } from "../../../stack/store/time.ts";
import { concat } from "../../support/frames.ts";

/** A station that notes what it receives and sends what it is told to, whenever it is asked. */
class Station {
  readonly port: Port;
  readonly received: string[] = [];
  readonly #outbox: Uint8Array[] = [];
  readonly #address: number;
  readonly #network: Network;

  constructor(network: Network, address: number, options: Partial<HostOptions> = {}) {
    this.#network = network;
    this.#address = address;
    this.port = network.attach({
      receive: { receive: (slot) => this.#take(slot) },
      send: { send: (slot) => this.#fill(slot) },
      ...options,
    });
  }

  send(to: number, content: string): void {
    this.#outbox.push(
      concat(mac(to), mac(this.#address), Uint8Array.of(0x88, 0xb5), new TextEncoder().encode(content)),
    );
  }

  /** Drives the port by hand. */
  poll(): number {
    this.port.rx(64, { receive: (slot) => this.#take(slot) });
    return this.port.tx(64, { send: (slot) => this.#fill(slot) });
  }

  #take({ frame, info }: Slot): void {
    this.received.push(
      `${info.timestamp} ${new TextDecoder().decode(frame.bytes.slice(frame.start + 14, frame.end))}`,
    );
  }

  #fill(slot: Slot): void {
    const next = this.#outbox.shift();
    if (next === undefined) return;
    slot.frame.resize(next.length);
    slot.frame.bytes.set(next, slot.frame.start);
    slot.queue();
  }
}

const ALL = 0xff;
const mac = (last: number) =>
  last === ALL ? new Uint8Array(6).fill(0xff) : Uint8Array.of(2, 0, 0, 0, 0, last);

function stations(count: number, options: NetworkOptions = {}, host: Partial<HostOptions> = {}) {
  const network = new Network(options);
  return {
    network,
    hosts: Array.from({ length: count }, (_, index) => new Station(network, index + 1, host)),
  };
}

const delayed: Partial<HostOptions> = { ingress: { delay: 10 }, egress: { delay: 5 } };

Deno.test("network: a frame travels through both links, and the clock jumps to each event", () => {
  const { network, hosts: [a, b] } = stations(2, {}, delayed);
  a!.send(2, "hello");
  equal(network.deadline(), 0);
  ok(network.step());
  deepStrictEqual([network.now, network.deadline()], [0, 5]);
  network.step();
  deepStrictEqual([network.now, network.deadline()], [5, 15]);
  network.step();
  deepStrictEqual(b!.received, ["15 hello"]);
  equal(network.deadline(), NEVER);
  equal(network.step(), false);
  equal(network.pool.available, network.pool.slots.length);
});

Deno.test("network: frames for all and for unknown stations reach every other port, the rest only their own", () => {
  const { network, hosts } = stations(4);
  const [a, b, c] = hosts;
  a!.send(ALL, "all");
  b!.send(9, "unknown");
  network.run(0);
  c!.send(1, "known");
  network.run(10);
  deepStrictEqual(hosts.map(({ received }) => received), [
    ["0 unknown", "0 known"],
    ["0 all"],
    ["0 all", "0 unknown"],
    ["0 all", "0 unknown"],
  ]);
  equal(network.now, 10);
  equal(network.pool.available, network.pool.slots.length);
});

Deno.test("network: a station that moves is found at its new port as soon as it speaks", () => {
  const { network, hosts: [a, b, c] } = stations(3);
  const moved = new Station(network, 1);
  a!.send(2, "here");
  b!.send(1, "first");
  network.run(1);
  moved.send(3, "there");
  network.run(2);
  b!.send(1, "second");
  network.run(3);
  const heard = (station: Station) => station.received.map((text) => text.split(" ")[1]);
  deepStrictEqual([heard(a!), heard(moved)], [["first", "there"], ["here", "second"]]);
  ok(c!.received.some((text) => text.endsWith("there")));
});

Deno.test("bridge: group addresses are not learnt, and a frame is never sent back where it came from", () => {
  const bridge = new Bridge();
  const forward = (to: Uint8Array, from: Uint8Array, port: number) =>
    bridge.forward(concat(to, from, Uint8Array.of(8, 0)), 0, 14, port);
  equal(forward(mac(2), mac(1), 0), FLOOD);
  equal(forward(mac(1), mac(2), 1), 0);
  equal(forward(mac(1), mac(3), 0), NOWHERE);
  equal(forward(mac(ALL), mac(2), 1), FLOOD);
  equal(forward(mac(2), mac(ALL), 3), 1);
  equal(forward(mac(ALL), mac(2), 1), FLOOD, "a group's address has been learnt");
  equal(bridge.forward(new Uint8Array(13), 0, 13, 0), NOWHERE, "a frame too short");
});

Deno.test("network: actions are done at their times, in the order in which they were added", () => {
  const { network } = stations(1);
  const done: string[] = [];
  network.at(20, () => done.push(`c ${network.now}`));
  network.at(10, () => {
    done.push(`a ${network.now}`);
    network.at(10, () => done.push(`late ${network.now}`));
  });
  network.at(10, () => done.push(`b ${network.now}`));
  network.run(15);
  deepStrictEqual(done, ["a 10", "b 10", "late 10"]);
  network.run(30);
  deepStrictEqual(done.slice(3), ["c 20"]);
  throws(() => network.at(29, () => {}), { name: "RangeError", message: /it is 30 us already/ });
  throws(() => network.at(NaN, () => {}), RangeError);
});

Deno.test("network: a link that is taken down passes nothing until it is up again", () => {
  const { network, hosts: [a, b] } = stations(2);
  network.run(1);
  network.at(100, () => b!.port.up = false);
  network.at(150, () => a!.send(2, "lost"));
  network.at(200, () => b!.port.up = true);
  network.at(250, () => a!.send(2, "found"));
  network.run(1_000);
  deepStrictEqual(b!.received, ["250 found"]);
  equal(b!.port.ingress.counters.down, 1);
  ok(b!.port.up);
});

Deno.test("network: faults may change while it runs", () => {
  const { network, hosts: [a, b] } = stations(2);
  network.at(10, () => {
    a!.port.egress.faults = { delay: 500 };
    a!.send(2, "slow");
  });
  network.at(600, () => {
    a!.port.egress.faults = {};
    a!.send(2, "fast");
  });
  network.run(1_000);
  deepStrictEqual(b!.received, ["510 slow", "600 fast"]);
});

Deno.test("network: runUntil stops as soon as its predicate holds, or at its limit", () => {
  const { network, hosts: [a, b] } = stations(2, {}, delayed);
  a!.send(2, "one");
  ok(network.runUntil(() => b!.received.length > 0, 1_000));
  equal(network.now, 15);
  equal(network.runUntil(() => b!.received.length > 1, 500), false);
  equal(network.now, 500);
  equal(network.runUntil(() => false), false, "nothing will ever happen");
  equal(network.now, 500);
});

Deno.test("network: a sender is asked at its deadline, to the microsecond", () => {
  const network = new Network();
  const asked: Instant[] = [];
  let next = 7;
  network.attach({
    receive: { receive: () => {} },
    send: {
      send: ({ info }) => {
        if (info.timestamp < next) return;
        asked.push(info.timestamp);
        next += 1_000;
      },
      deadline: () => next,
    },
  });
  network.run(3_006);
  deepStrictEqual(asked, [7, 1_007, 2_007]);
});

Deno.test("network: a deadline that does not move on is found, and its host is named", () => {
  const network = new Network();
  network.attach({
    name: "good",
    receive: { receive: () => {} },
    send: { send: () => {}, deadline: () => NEVER },
  });
  network.attach({
    name: "bad",
    receive: { receive: () => {} },
    send: { send: () => {}, deadline: () => 5 },
  });
  throws(() => network.run(10), /^Error: it stays 5 us: bad asks for a turn at 5 us and then sends nothing/);
});

Deno.test("network: frames that take no time for ever are found, and their hosts are named", () => {
  const network = new Network({ turns: 500, frames: 4 });
  const repeat = { receive: (slot: Slot) => void slot.queue() };
  network.attach({ name: "left", receive: repeat, send: { send: () => {} } });
  network.attach({ name: "right", receive: repeat, send: { send: () => {} } });
  new Station(network, 3).send(ALL, "ball");
  throws(() => network.run(10), { message: /it stays 0 us after 501 turns: frames of (left|right)/ });
});

Deno.test("network: a flood fills the buffers, is counted, and leaves none behind", () => {
  const { network, hosts: [a, b] } = stations(3, { frames: 16 }, { egress: { delay: 100 } });
  for (let count = 0; count < 100; count++) a!.send(ALL, `${count}`);
  network.run(1e6);
  const { passed, overflow } = b!.port.ingress.counters;
  equal(passed, b!.received.length);
  equal(passed + overflow, 100, "the sender waits for buffers, the copies do not");
  ok(passed > 0);
  equal(a!.port.counters.sent, 100);
  equal(network.pool.available, 16);
});

Deno.test("network: a trace tells time, host, direction, fate and bytes of everything", () => {
  const events: string[] = [];
  const { network, hosts: [a] } = stations(2, {
    trace: ({ time, port, direction, fate, bytes, start, end }) =>
      events.push(
        `${time} ${port} ${direction} ${fate} ${new TextDecoder().decode(bytes.slice(start + 14, end))}`,
      ),
  }, delayed);
  a!.send(2, "x");
  network.run(20);
  a!.port.egress.faults = { loss: 1 };
  a!.send(2, "y");
  network.run(40);
  deepStrictEqual(events, [
    `5 host0 out ${Fate.Passed} x`,
    `15 host1 in ${Fate.Passed} x`,
    `20 host0 out ${Fate.Lost} y`,
  ]);
});

Deno.test("network: a host that is closed is off it, and gives its buffers back", () => {
  const { network, hosts: [a, b] } = stations(2, {}, delayed);
  a!.send(2, "under way");
  network.run(6);
  b!.port.close();
  match(b!.port.failure!, /host1 is closed/);
  a!.send(2, "too late");
  network.run(1_000);
  deepStrictEqual(b!.received, []);
  equal(network.pool.available, network.pool.slots.length);
});

Deno.test("network: a port driven by hand is a NIC like any other", async () => {
  const { network, hosts: [a, b] } = stations(2, {}, delayed);
  await b!.port.ready(0);
  let ready = false;
  const waiting = b!.port.ready().then(() => ready = true);
  network.at(50, () => a!.send(2, "x"));
  network.run(100);
  await waiting;
  ok(ready);
  equal(b!.port.now(), 100);
});

/** Lets the event loop have a few turns. */
const turns = () => new Promise<false>((resolve) => setTimeout(() => resolve(false), 5));

Deno.test("network: who waits by hand hears what another host sends, to it alone or to all", async () => {
  const { network, hosts: [a, b] } = stations(3);
  for (const [index, to] of [2, ALL].entries()) {
    await b!.port.ready(0);
    const waiting = b!.port.ready();
    a!.send(to, "x");
    equal(a!.poll(), 1);
    ok(await Promise.race([waiting.then(() => true), turns()]), "it is not woken");
    b!.poll();
    deepStrictEqual(b!.received.length, index + 1);
  }
  equal(network.now, 0);
});

Deno.test("network: who waits by hand for a moment hears when the clock shows it", async () => {
  const network = new Network();
  const { port } = new Station(network, 1);
  const moments = [49, 50, 51];
  const clock = { send: () => {}, deadline: () => moments.find((moment) => moment > network.now) ?? NEVER };
  network.attach({ receive: { receive: () => {} }, send: clock });
  port.cycle();
  let isReady = false;
  void port.ready(50).then(() => isReady = true);
  for (const expected of [false, true]) {
    while (network.now < (expected ? 50 : 49)) network.step();
    await turns();
    equal(isReady, expected);
  }
});

Deno.test("network: a port driven by hand lets timers have their turn, however much there is to do", async () => {
  const { port } = new Station(new Network(), 1);
  let isOver = false;
  setTimeout(() => isOver = true);
  for (let waits = 0; !isOver; waits++) {
    ok(waits < 1_000_000, "the timer starves");
    await port.ready(0);
  }
});

Deno.test("network: an MTU over the network's is refused", () => {
  const network = new Network({ mtu: 1_000 });
  throws(() => new Station(network, 1, { mtu: 1_001 }), {
    name: "RangeError",
    message: /up to the network's 1000/,
  });
  throws(() => new Station(network, 1, { ingress: { loss: 2 } }), RangeError);
});

Deno.test("network: a host whose trees throw loses no buffer", () => {
  const network = new Network();
  const fail = () => {
    throw new Error("a handler's fault");
  };
  const [good] = [new Station(network, 1), new Station(network, 2, { receive: { receive: fail } })];
  good!.send(2, "first");
  throws(() => network.run(10), /a handler's fault/);
  const other = network.attach({ receive: { receive: () => {} }, send: { send: fail } });
  throws(() => network.run(20), /a handler's fault/);
  other.close();
  good!.send(ALL, "second");
  good!.port.wake();
  throws(() => network.run(30), /a handler's fault/);
  equal(network.pool.available, network.pool.slots.length);
});
