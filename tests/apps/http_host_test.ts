/** The web server of `serve http` on a host of few connections, in memory and in time of its own. */
import assert from "node:assert/strict";
import { Appliance } from "../../apps/appliance.ts";
import { macFor } from "../../apps/mac-for.ts";
import { http, type HttpCounters } from "../../apps/services/http.ts";
import { link } from "../../nic/link/link.ts";
import { type Instant, milliseconds, seconds } from "../../stack/store/time.ts";
import { StreamReceive, StreamSend } from "../../stack/tcp/buffers.ts";
import { Cidr } from "../../stack/wire/cidr.ts";

const SERVER = Cidr.parse("10.0.0.1/24"), CLIENT = Cidr.parse("10.0.0.2/24");
/** Connections that the server has room for. */
const ROOM = 4;
const STEP = milliseconds(10);

/** A web server, a client, and the wire between them. */
class Wire {
  now: Instant = seconds(1);
  readonly #ends = link({ slots: 512 });
  readonly #server = this.#host(0, SERVER, ROOM);
  readonly #client = this.#host(1, CLIENT, 100);
  readonly counters = http.start(this.#server, http.port) as HttpCounters;
  readonly #trees = [this.#server.answering(), this.#client.answering()];

  #host(end: 0 | 1, own: Cidr, connections: number): Appliance {
    const nic = this.#ends[end];
    nic.setTime(this.now);
    return new Appliance({ nic, mac: macFor(`${own}`), addresses: [own], connections });
  }

  /** Opens a connection, sends `text` over it, and answers with what comes back. */
  connect(text: string): StreamReceive {
    const sendBuffer = new StreamSend(1_000), receiveBuffer = new StreamReceive(65_536);
    sendBuffer.write(new TextEncoder().encode(text));
    const connection = this.#client.tcp.connect({
      address: SERVER.address,
      port: http.port,
      localAddress: CLIENT.address,
      sendBuffer,
      receiveBuffer,
      handler: { opened: (one) => one.flush(), peerClosed: (one) => one.close() },
    });
    assert.ok(connection !== undefined);
    return receiveBuffer;
  }

  /** Lets time pass. */
  pass(time: Instant): void {
    for (const end = this.now + time; this.now < end; this.now += STEP) {
      this.#ends.forEach((nic, index) => {
        nic.setTime(this.now);
        const { receive, send } = this.#trees[index]!;
        nic.rx(64, receive);
        nic.tx(64, send);
      });
    }
  }
}

Deno.test("http: whoever is silent for too long makes room for others, though all places are taken", () => {
  const wire = new Wire();
  for (let each = 0; each < ROOM; each++) wire.connect("GET / HT");
  wire.pass(seconds(9));
  const late = wire.connect("GET / HTTP/1.0\r\n\r\n");
  wire.pass(milliseconds(500));
  assert.deepEqual([late.length, wire.counters.answered, wire.counters.tooSlow], [0, 0, 0]);
  wire.pass(seconds(20));
  assert.deepEqual([wire.counters.answered, wire.counters.tooSlow], [1, ROOM]);
  assert.ok(late.length > 0);
});

Deno.test("http: where there is room, whoever is silent is left alone until others come", () => {
  const wire = new Wire();
  for (let each = 0; each < ROOM - 1; each++) wire.connect("");
  wire.pass(seconds(30));
  assert.equal(wire.counters.tooSlow, 0);
  const late = wire.connect("GET / HTTP/1.0\r\n\r\n");
  wire.pass(seconds(1));
  assert.deepEqual([wire.counters.answered, wire.counters.tooSlow], [1, ROOM - 1]);
  assert.ok(late.length > 0);
});
