/**
 * How fast the laboratory is: two hosts exchange UDP echoes over a perfect simulated link, and the packets that are
 * delivered, both ways counted, are divided by real time. Also checks that the heap does not grow with the packets.
 *
 * `deno run tests/bench/sim_udp.ts [PACKETS]`; exits with 1 if it does.
 *
 * @module
 */
import {
  Address,
  Eth,
  Icmp,
  Ip,
  LayerError,
  Mac,
  Network,
  type Port,
  protocols,
  Udp,
  type UdpInit,
  type UdpRaw,
} from "../../mod.ts";

const SERVER = "10.0.0.1", CLIENT = "10.0.0.2";
const SERVER_MAC = "02:00:00:00:00:01", CLIENT_MAC = "02:00:00:00:00:02";
const ECHO_PORT = 7, CLIENT_PORT = 5_000;

/** What a run measured. */
export interface SimUdpResult {
  /** Packets delivered, both ways together. */
  readonly packets: number;
  /** Real time in seconds. */
  readonly seconds: number;
  /** By how much the heap grew between the samples taken during the run, all growth added up, a packet. */
  readonly heapBytesPerPacket: number;
}

/** How a run is made. */
export interface SimUdpOptions {
  /** Packets to be delivered, both ways together. */
  readonly packets: number;
  /** Requests on their way at once. */
  readonly outstanding: number;
  /** The payload of each, in bytes. */
  readonly length: number;
}

/** Two hosts and a network between them. */
class Laboratory {
  readonly network = new Network({ turns: Infinity });
  readonly #outstanding: number;
  readonly #port: Port;
  readonly #client: Port;
  #answered = 0;
  #sent = 0;

  constructor(outstanding: number, length: number) {
    this.#outstanding = outstanding;
    this.#port = this.#server();
    this.#client = this.#load(length);
  }

  get delivered(): number {
    return this.#port.counters.received + this.#client.counters.received;
  }

  runUntil(packets: number): void {
    this.network.runUntil(() => this.delivered >= packets);
  }

  #server(): Port {
    const eth = new Eth({ mac: SERVER_MAC });
    const ip = new Ip({ addresses: [`${SERVER}/24`] });
    ip.neighbours.setStatic(Address.parse(CLIENT), Mac.parse(CLIENT_MAC));
    const udp = new Udp();
    udp.bind({ port: ECHO_PORT }, (packet) => {
      packet.echo();
    });
    return this.network.attach({
      name: "server",
      receive: eth.recv(ip.recv(protocols({ udp: udp.recv(), icmp: new Icmp().answer() }))),
      send: eth.send(ip.layerInternal()),
    });
  }

  #load(length: number): Port {
    const eth = new Eth({ mac: CLIENT_MAC });
    const ip = new Ip({ addresses: [`${CLIENT}/24`] });
    ip.neighbours.setStatic(Address.parse(SERVER), Mac.parse(SERVER_MAC));
    const udp = new Udp();
    udp.bind({ port: CLIENT_PORT }, () => {
      this.#answered++;
    });
    const init: UdpInit = {
      source: Address.parse(CLIENT),
      destination: Address.parse(SERVER),
      sourcePort: CLIENT_PORT,
      destinationPort: ECHO_PORT,
      length,
    };
    const send = (packet: UdpRaw) => {
      if (this.#sent - this.#answered >= this.#outstanding) return;
      const out = packet.prepare(init);
      if (typeof out === "number") return;
      out.frame.bytes.fill(0x55, out.payloadAt, out.frame.end);
      if (out.send() === LayerError.None) this.#sent++;
    };
    return this.network.attach({
      name: "client",
      receive: eth.recv(ip.recv(protocols({ udp: udp.recv() }))),
      send: eth.send(ip.send(udp.send(send))),
    });
  }
}

/** Runs the load, after a warm-up of a tenth of it. */
export function simUdp(options: SimUdpOptions): SimUdpResult {
  const laboratory = new Laboratory(options.outstanding, options.length);
  const warm = Math.ceil(options.packets / 10);
  laboratory.runUntil(warm);
  const start = performance.now();
  let growth = 0;
  for (let sample = 1; sample <= SAMPLES; sample++) {
    const heap = Deno.memoryUsage().heapUsed;
    laboratory.runUntil(warm + Math.round(options.packets * sample / SAMPLES));
    // A collection in between makes a sample worthless, not an allocation invisible: the others show it.
    growth += Math.max(0, Deno.memoryUsage().heapUsed - heap);
  }
  const seconds = (performance.now() - start) / 1_000;
  return { packets: options.packets, seconds, heapBytesPerPacket: growth / options.packets };
}

/** How often the heap is looked at during a run. */
const SAMPLES = 20;

if (import.meta.main) {
  const packets = Number(Deno.args[0] ?? 4_000_000);
  let leastGrowth = Infinity;
  for (const length of [18, 1_472]) {
    for (let run = 0; run < 3; run++) {
      const { seconds, heapBytesPerPacket } = simUdp({ packets, outstanding: 64, length });
      leastGrowth = Math.min(leastGrowth, heapBytesPerPacket);
      const rate = (packets / seconds / 1e6).toFixed(2);
      console.log(
        `${length} B: ${rate} M packets/s, ${(seconds / packets * 1e9).toFixed(0)} ns a packet, heap ${
          heapBytesPerPacket.toFixed(3)
        } B a packet`,
      );
    }
  }
  // A boxed deadline a burst is a fraction of a byte a packet; the smallest object a packet would be 16 bytes.
  if (leastGrowth >= 4) {
    console.error(`the heap grows by ${leastGrowth.toFixed(1)} bytes a packet`);
    Deno.exit(1);
  }
}
