/** What a transfer gets of a long fast path when nothing is said of buffers, on virtual time. */
import { deepEqual, ok } from "node:assert/strict";
import { type Faults, milliseconds, Network, seconds } from "../../mod.ts";
import { StreamReceive, StreamSend } from "../../stack/tcp/buffers.ts";
import type { Connection, ConnectionHandler } from "../../stack/tcp/connection.ts";
import { connectWith, listenWith, tcpHost } from "../support/tcp.ts";

/** Data a frame carries at most: 1,448 of 1,514 bytes. */
const GOODPUT = 1_448 / 1_514;
const RATE = 1e9;

/** Writes whenever there is room, if it is to, and reads whatever comes. */
class Mover implements ConnectionHandler {
  readonly send: StreamSend;
  readonly receive: StreamReceive;
  connection: Connection | undefined;
  /** Bytes that have come. */
  total = 0;
  readonly #writes: boolean;
  readonly #chunk = new Uint8Array(1 << 16);

  constructor(writes: boolean, size?: number) {
    this.#writes = writes;
    this.send = new StreamSend(size);
    this.receive = new StreamReceive(size);
  }

  readonly opened = (c: Connection): void => {
    this.connection = c;
    this.writable(c);
  };

  readonly writable = (c: Connection): void => {
    if (!this.#writes) return;
    while (this.send.write(this.#chunk) > 0);
    c.flush();
  };

  readonly readable = (c: Connection): void => {
    for (;;) {
      const count = this.receive.read(this.#chunk);
      if (count === 0) break;
      this.total += count;
    }
    c.flush();
  };
}

interface Path {
  readonly roundTrip: number;
  readonly queue: number;
  /** Whether the side that connects is the one that receives. */
  readonly isDownload: boolean;
  /** The sizes of all buffers; undefined: nothing is said. */
  readonly size?: number;
}

/** A transfer: who sends, who receives, and time to go on to. */
function transfer({ roundTrip, queue, isDownload, size }: Path) {
  const network = new Network({ frames: 1 << 15, turns: Infinity });
  const delay = roundTrip / 4;
  const link: { ingress: Faults; egress: Faults } = {
    ingress: { rate: RATE, queue, delay },
    egress: { delay },
  };
  const client = tcpHost(network, 1, link), server = tcpHost(network, 2, link);
  const accepted = listenWith(server, 7, () => new Mover(isDownload, size));
  const own = new Mover(!isDownload, size);
  connectWith(client, server, 7, own);
  network.run(2 * roundTrip);
  const other = accepted[0]!;
  return { network, source: isDownload ? other : own, sink: isDownload ? own : other };
}

for (const isDownload of [false, true]) {
  const name = isDownload ? "download" : "upload";

  // The queue holds what is in flight, so that nothing but buffers is in the way.
  Deno.test(`tcp: a ${name} over 1 Gbit/s and 50 ms fills the link with the buffers that it is given unasked`, () => {
    const { network, sink, source } = transfer({ roundTrip: milliseconds(50), queue: 16_000, isDownload });
    network.run(seconds(1));
    const before = sink.total;
    network.run(seconds(3));
    const share = (sink.total - before) * 8 / 2 / (RATE * GOODPUT);
    ok(share > 0.9, `${share}`);
    deepEqual(
      [source.receive.limit, sink.send.limit],
      [1 << 16, 1 << 20],
      "the ways not taken are as they were",
    );
  });

  Deno.test(`tcp: a ${name} starts as fast as with buffers that are large from the beginning`, () => {
    const tuned = transfer({ roundTrip: milliseconds(50), queue: 16_000, isDownload });
    const large = transfer({ roundTrip: milliseconds(50), queue: 16_000, isDownload, size: 1 << 24 });
    for (let time = 150; time <= 600; time += 50) {
      for (const { network } of [tuned, large]) network.run(milliseconds(time));
      ok(
        tuned.sink.total > large.sink.total * 0.98,
        `${tuned.sink.total} of ${large.sink.total} at ${time} ms`,
      );
    }
  });

  Deno.test(`tcp: a ${name} over 1 Gbit/s and 100 ms fills most of the link`, () => {
    const { network, sink } = transfer({ roundTrip: milliseconds(100), queue: 16_000, isDownload });
    network.run(seconds(2));
    const before = sink.total;
    network.run(seconds(4));
    const share = (sink.total - before) * 8 / 2 / (RATE * GOODPUT);
    ok(share > 0.8, `${share}`);
  });
}
