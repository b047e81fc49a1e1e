/**
 * Hosts for iperf3 on a wire in memory, on virtual time.
 *
 * @module
 */
import { Appliance, type Tree } from "../../apps/appliance.ts";
import { macFor } from "../../apps/mac-for.ts";
import { emitHello, WORD_LENGTH } from "../../apps/iperf3/datagram.ts";
import { Client, type ClientOptions } from "../../apps/iperf3/client.ts";
import type { Parameters } from "../../apps/iperf3/parameters.ts";
import { type Outcome, type Party, partyOf, type Watcher } from "../../apps/iperf3/party.ts";
import type { Row } from "../../apps/iperf3/measure.ts";
import { Server, type ServerOptions } from "../../apps/iperf3/server.ts";
import { faulty } from "../../nic/fault.ts";
import type { Faults } from "../../nic/link/faults.ts";
import { link, type LinkEnd } from "../../nic/link/link.ts";
import type { Nic } from "../../nic/device.ts";
import type { TimedSender } from "../../stack/handler.ts";
import type { UdpRaw } from "../../stack/udp/packet.ts";
import { type Instant, milliseconds, NEVER, seconds } from "../../stack/store/time.ts";
import { Address } from "../../stack/wire/address.ts";
import { Cidr } from "../../stack/wire/cidr.ts";

/** The time that a burst takes, so that none is endless. */
const BURST_TIME: Instant = 500;

/** A test of which nothing is asked but what differs. */
export const TEST: Parameters = {
  protocol: "tcp",
  omit: 0,
  time: 1,
  bytes: 0,
  blocks: 0,
  streams: 1,
  reverse: false,
  bidirectional: false,
  length: 1 << 17,
  rate: 0,
  noDelay: false,
  counters64: true,
};

/** What a server or a client has told. */
export class Told implements Watcher {
  readonly peers: string[] = [];
  readonly outcomes: Outcome[] = [];
  readonly failures: string[] = [];
  readonly intervals: { readonly rows: readonly Row[]; readonly isOmitted: boolean }[] = [];
  begun = 0;

  met(address: Address): void {
    this.peers.push(String(address));
  }

  began(): void {
    this.begun++;
  }

  interim(_: Parameters, rows: readonly Row[], isOmitted: boolean): void {
    this.intervals.push({ rows, isOmitted });
  }

  finished(outcome: Outcome): void {
    this.outcomes.push(outcome);
  }

  failed(why: string): void {
    this.failures.push(why);
  }
}

/** One of the two hosts. */
export class Side {
  readonly appliance: Appliance;
  readonly address: Address;
  readonly party: Party;
  readonly told: Told = new Told();
  /** What is ticked each cycle, and sends datagrams. */
  running: Server | Client | undefined;
  readonly #nic: Nic;
  #tree: Tree;

  constructor(nic: Nic, name: string, addresses: readonly Cidr[]) {
    this.#nic = nic;
    this.appliance = new Appliance({ nic, mac: macFor(name), addresses });
    this.address = addresses[0]!.address;
    this.party = partyOf(this.appliance);
    this.#tree = this.appliance.answering();
  }

  /** Runs a server or a client from now on. */
  run(running: Server | Client): void {
    this.running = running;
    this.sends(running);
  }

  /** Has this alone send datagrams. */
  sends(task: TimedSender<UdpRaw>): void {
    this.appliance.tasks.splice(0, Infinity, task);
    this.#tree = this.appliance.answering();
  }

  /** A cycle. Answers how many frames moved. */
  cycle(now: Instant): number {
    const moved = this.#nic.rx(64, this.#tree.receive) + this.#nic.tx(64, this.#tree.send);
    this.running?.tick(now);
    return moved;
  }

  /** When it next has something to do. */
  deadline(): Instant {
    return this.#tree.send.deadline();
  }
}

/** Two hosts, the server's and the client's. */
export class Pair {
  now: Instant = seconds(1);
  readonly server: Side;
  readonly client: Side;
  readonly #ends: readonly [LinkEnd, LinkEnd];
  /** Whether the wire is cut. */
  isCut = false;

  /** `faults` befall what the client sends and receives. */
  constructor({ faults, isV6 = false }: { readonly faults?: Faults; readonly isV6?: boolean } = {}) {
    const ends = this.#ends = link({ slots: 512 });
    for (const end of ends) end.setTime(this.now);
    const own = (last: number) => [Cidr.parse(isV6 ? `fd00::${last}/64` : `10.0.0.${last}/24`)];
    this.server = new Side(ends[0], "server", own(1));
    const nic = faults === undefined ? ends[1] : faulty(ends[1], { ingress: faults, egress: faults });
    this.client = new Side(nic, "client", own(2));
  }

  /** Starts a server. */
  serve(options: Partial<ServerOptions> = {}): Server {
    const { party, told } = this.server;
    const server = new Server(party, {
      port: 5_201,
      family: undefined,
      oneOff: false,
      interval: seconds(1),
      ...options,
    }, told);
    this.server.run(server);
    return server;
  }

  /** Starts a client. */
  test(parameters: Partial<Parameters> = {}, options: Partial<ClientOptions> = {}): Client {
    const { party, told, address } = this.client;
    const client = new Client(party, {
      address: this.server.address,
      port: 5_201,
      local: address,
      interval: seconds(1),
      parameters: { ...TEST, ...parameters },
      ...options,
    }, told);
    this.client.run(client);
    return client;
  }

  /** Lets time pass until something is so; throws after `limit` seconds of it. */
  until(isSo: () => boolean, limit: number = 300): void {
    const end = this.now + seconds(limit);
    while (!isSo()) {
      if (this.now >= end) throw new Error(`not within ${limit} s: ${isSo}`);
      this.step();
    }
  }

  /** Lets so many seconds pass. */
  pass(time: number): void {
    const end = this.now + seconds(time);
    while (this.now < end) this.step();
  }

  /** Sends the server a client's word from an address and a port. */
  hello(from: string, port: number): void {
    const { client, server } = this;
    const source = Address.parse(from);
    if (!client.appliance.ip.addresses.owns(source)) client.appliance.ip.addresses.add(`${from}/24`);
    let isSent = false;
    client.sends({
      send: (raw) => {
        if (isSent) return;
        const out = raw.prepare({
          source,
          destination: server.address,
          sourcePort: port,
          destinationPort: 5_201,
          length: WORD_LENGTH,
        });
        if (typeof out === "number") throw new Error(`the word cannot be sent: ${out}`);
        emitHello(out.frame.bytes, out.payloadAt);
        out.send();
        isSent = true;
      },
      deadline: () => isSent ? NEVER : 0,
    });
    this.until(() => isSent, 1);
  }

  /** A cycle on each side. */
  step(): void {
    const { server, client } = this;
    const moved = server.cycle(this.now) + (this.isCut ? 0 : client.cycle(this.now));
    if (this.isCut) {
      this.#ends[1].rx(64, { receive: () => {} });
    }
    const next = Math.min(server.deadline(), this.isCut ? Infinity : client.deadline());
    const soon = this.now + BURST_TIME;
    this.now = moved > 0 ? soon : Math.max(soon, Math.min(next, this.now + milliseconds(100)));
    for (const end of this.#ends) end.setTime(this.now);
  }

  /** Runs one test to its end and answers what both sides have told of it. */
  measure(parameters: Partial<Parameters> = {}): readonly [client: Outcome, server: Outcome] {
    this.serve();
    const client = this.test(parameters);
    this.until(() => client.isDone);
    this.until(() => this.server.told.outcomes.length + this.server.told.failures.length > 0);
    const failures = [...this.client.told.failures, ...this.server.told.failures];
    const [ours] = this.client.told.outcomes, [theirs] = this.server.told.outcomes;
    if (ours === undefined || theirs === undefined) throw new Error(failures.join("; "));
    return [ours, theirs];
  }
}
