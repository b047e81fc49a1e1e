/**
 * Two hosts and one buffer between them, to count what a segment allocates.
 *
 * @module
 */
import { DeviceInfo, type DeviceSlot, SlotPool } from "../../nic/device.ts";
import { Eth } from "../../stack/eth/endpoint.ts";
import type { Receiver, TimedSender } from "../../stack/handler.ts";
import { Ip } from "../../stack/ip/endpoint.ts";
import { protocols } from "../../stack/ip/protocols.ts";
import { seconds } from "../../stack/store/time.ts";
import { type SendBuffer, Sink } from "../../stack/tcp/buffers.ts";
import type { CongestionName } from "../../stack/tcp/congestion/choice.ts";
import { Tcp } from "../../stack/tcp/endpoint.ts";
import { Address } from "../../stack/wire/address.ts";
import { Mac } from "../../stack/wire/mac.ts";
import { allocatedBytes } from "../bench/sim_tcp.ts";
import { ALL_MANUAL, type Capabilities, type Slot } from "../../stack/slot.ts";

/** How many segments are counted at a time. */
export const SEGMENTS = 1_000_000;

/** Segments until the code is compiled for good. */
const WARM_UP = 500_000;

/** A day after the machine's start: a time that takes more than 32 bits, as on a real clock. */
const START = seconds(86_400);

class Endless implements SendBuffer {
  readonly length = 1 << 16;
  /** Hears of every segment of data. */
  onFill: (length: number) => void = () => {};
  fill(_offset: number, _bytes: Uint8Array, _at: number, length: number): void {
    this.onFill(length);
  }
  ack(): void {}
}

class Station {
  readonly tcp: Tcp;
  readonly receiver: Receiver<Slot>;
  readonly sender: TimedSender<Slot>;

  constructor(number: number, joins: boolean, congestion: CongestionName) {
    const other = 3 - number;
    const ip = new Ip({ addresses: [`10.0.0.${number}/24`] });
    ip.neighbours.learn(Address.parse(`10.0.0.${other}`), Mac.parse(`02:00:00:00:00:0${other}`), START, true);
    ip.neighbours.setStatic(Address.parse(`10.0.0.${other}`), Mac.parse(`02:00:00:00:00:0${other}`));
    const eth = new Eth({ mac: `02:00:00:00:00:0${number}` });
    this.tcp = new Tcp({ secret: [number, 2, 3, 4], receiveWindow: 1 << 17, congestion });
    const tree = eth.recv(ip.recv(protocols({ tcp: this.tcp.recv() })));
    this.receiver = joins ? this.tcp.joining(tree) : tree;
    this.sender = eth.send(ip.send(this.tcp.send()));
  }
}

/** Two hosts and the one buffer that every segment travels in. Each is answered before the next one leaves. */
export class Wire {
  readonly info: DeviceInfo;
  readonly client: Station;
  readonly server: Station;
  readonly sink = new Sink(1 << 17);
  readonly source = new Endless();
  readonly #slot: DeviceSlot;

  constructor(
    lossEvery: number,
    capabilities: Capabilities = ALL_MANUAL,
    joins: boolean = false,
    congestion: CongestionName = "cubic",
  ) {
    this.client = new Station(1, joins, congestion);
    this.server = new Station(2, joins, congestion);
    this.info = new DeviceInfo(capabilities, 1_500);
    this.#slot = new SlotPool(1, 0xffff + 14, this.info).take()!;
    this.lossEvery = lossEvery;
    this.info.timestamp = START;
    this.server.tcp.listen({ port: 7 }, (connection) => {
      connection.receiveBuffer = this.sink;
      return {};
    });
    this.client.tcp.tick(START);
    this.client.tcp.connect({
      address: Address.parse("10.0.0.2"),
      port: 7,
      localAddress: Address.parse("10.0.0.1"),
      sendBuffer: this.source,
      receiveBuffer: new Sink(),
      handler: {},
    });
  }

  /** Of so many segments one is lost; 0: none. */
  readonly lossEvery: number;
  #sent = 0;

  /** Runs until `count` more segments have left, in bursts of up to eight and their acknowledgments. */
  run(count: number): void {
    const end = this.#sent + count;
    while (this.#sent < end) {
      this.info.timestamp += 7;
      this.#burst(this.client, this.server);
      this.info.timestamp += 100;
      this.#burst(this.server, this.client);
    }
  }

  #burst(from: Station, to: Station): void {
    const slot = this.#slot;
    for (let count = 0; count < 8; count++) {
      slot.frame.resize(0);
      from.sender.send(slot);
      const leaves = slot.queued;
      slot.reset();
      if (!leaves) return;
      this.#sent++;
      if (this.lossEvery === 0 || this.#sent % this.lossEvery !== 0) to.receiver.receive(slot);
      slot.reset();
    }
  }
}

/** The engine compiles in its own time, and later on a busy machine: so many rounds it has until nothing is left to do. */
const ROUNDS = 20;

/** A number on the heap takes 16 bytes: this is less than one for thirty segments. Compiling takes some as well. */
export const NOTHING = SEGMENTS / 2;

/** Bytes allocated for a million segments, the least of some rounds. */
export function cost(wire: Wire, rounds = ROUNDS): number {
  wire.run(WARM_UP);
  let least = Infinity;
  for (let round = 0; round < rounds && least > NOTHING; round++) {
    const before = allocatedBytes();
    wire.run(SEGMENTS);
    least = Math.min(least, allocatedBytes() - before);
  }
  return least;
}
