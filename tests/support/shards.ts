/**
 * A host whose flows several stacks have, in one thread and on virtual time: the test is the kernel that hands each
 * frame to a queue, and the wire.
 *
 * @module
 */
import { Appliance, type Tree } from "../../apps/appliance.ts";
import { startServices } from "../../apps/services/registry.ts";
import { tcpEcho } from "../../apps/services/tcp-echo.ts";
import { udpEcho } from "../../apps/services/udp-echo.ts";
import { counterMemory } from "../../apps/shard/counter-board.ts";
import { factsMemory } from "../../apps/shard/facts.ts";
import { neighbourMemory } from "../../apps/shard/neighbour-board.ts";
import { Shard, type SharedMemory } from "../../apps/shard/shard.ts";
import { Speaker } from "../../apps/shard/speaker.ts";
import { External } from "../../nic/external.ts";
import { HubNic } from "../../nic/shard/hub-nic.ts";
import { meshMemory, MeshPort, setPresent } from "../../nic/shard/mesh.ts";
import { ShardNic } from "../../nic/shard/shard-nic.ts";
import { Sorter } from "../../nic/shard/sorter.ts";
import { type Instant, milliseconds } from "../../stack/store/time.ts";
import { Cidr } from "../../stack/wire/cidr.ts";
import { Mac } from "../../stack/wire/mac.ts";
import { OWN, OWN_MAC } from "./frames.ts";
import { OWN6 } from "./frames-v6.ts";

/** A stack and its queue. */
export interface Place {
  readonly queue: External;
  readonly nic: ShardNic;
  readonly shard: Shard;
  readonly tree: Tree;
}

/** How far the clock goes at once while nothing happens. */
const STEP: Instant = milliseconds(10);

/** Such a host: 10.0.0.1/24 and 2001:db8::1/64, with both echoes. */
export class Shards {
  readonly places: Place[] = [];
  readonly speaker: Appliance;
  /** Connections that were reset because their address has gone, by stack, as each told. */
  readonly applied: number[] = [];
  now: Instant = 0;
  readonly #way = new External();
  readonly #hub: HubNic;
  readonly #speaker: Speaker;
  readonly #tree: Tree;
  readonly #shared: SharedMemory;
  readonly #sent: Uint8Array[] = [];

  constructor(count: number, addresses: readonly string[] = [`${OWN}/24`, `${OWN6}/64`]) {
    const mesh = meshMemory(count + 1);
    const wait = { wait: () => Promise.resolve(), drain: () => {}, wake: () => {}, close: () => {} };
    this.#hub = new HubNic(this.#way, new MeshPort(mesh, count + 1, count, () => {}), wait);
    setPresent(mesh, count, true);
    this.speaker = new Appliance({
      nic: this.#hub,
      mac: Mac.parse(OWN_MAC),
      addresses: addresses.map((text) => Cidr.parse(text)),
    });
    this.#shared = {
      mesh,
      facts: factsMemory(),
      neighbours: neighbourMemory(this.speaker.ip.neighbours.capacity),
      counters: counterMemory(count),
    };
    this.#speaker = new Speaker(this.speaker, this.#hub, this.#shared, () => {});
    this.#tree = this.speaker.answering();
    for (let index = 0; index < count; index++) this.start(index);
    this.settle();
    this.takeSent();
  }

  /** Starts a stack on a queue; if there was one, it is no more. */
  start(index: number): void {
    const queue = this.places[index]?.queue ?? new External();
    queue.setTime(this.now);
    const members = this.#hub.port.members;
    const port = new MeshPort(this.#shared.mesh, members, index, () => {});
    const nic = new ShardNic(queue, port, new Sorter(queue.info.medium, [68, 546, 5_353]));
    const shard = new Shard({
      nic,
      shared: this.#shared,
      mac: Mac.parse(OWN_MAC),
      congestion: "cubic",
      secret: [1, 2, 3, 4],
      applied: (_version, connections) => this.applied[index] = connections,
    });
    startServices(shard.appliance, [{ service: udpEcho, port: 7 }, { service: tcpEcho, port: 7 }]);
    this.places[index] = { queue, nic, shard, tree: shard.tree() };
    setPresent(this.#shared.mesh, index, true);
  }

  /** Says that a stack is no more. */
  stop(index: number): void {
    setPresent(this.#shared.mesh, index, false);
  }

  /** Has the kernel put frames into a queue, and all stacks deal with them. */
  receive(index: number, ...frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.places[index]!.queue.inject(frame);
    this.settle();
  }

  /** The frames that have left since this was last asked: of all stacks, in their order. */
  takeSent(): Uint8Array[] {
    return this.#sent.splice(0);
  }

  /** The clock goes on, and whatever is due is done. */
  advance(time: Instant): void {
    for (const end = this.now + time; this.now < end;) {
      this.now = Math.min(end, this.now + STEP);
      this.settle();
    }
  }

  /** Runs all until nothing more happens now. */
  settle(): void {
    this.#way.setTime(this.now);
    for (const { queue } of this.places) queue.setTime(this.now);
    for (let moved = 1; moved > 0;) {
      moved = this.#drive(this.#hub, this.#tree, this.#way);
      this.#speaker.follow();
      for (const { nic, tree, queue, shard } of this.places) {
        moved += this.#drive(nic, tree, queue);
        shard.follow();
        if (tree.send.deadline() <= this.now) moved++;
      }
    }
  }

  #drive(nic: HubNic | ShardNic, { receive, send }: Tree, wire: External): number {
    let moved = nic.rx(64, receive) + nic.tx(64, send);
    for (let frame = wire.take(); frame !== undefined; frame = wire.take()) {
      this.#sent.push(frame);
      moved++;
    }
    return moved;
  }
}
