/**
 * The load of the `nics` benchmark on one kind of NIC, which it makes.
 *
 * `unshare -n deno run -A tests/bench/nics-load.ts "raw over veth" quick|full`: a line of JSON a figure.
 *
 * @module
 */
import {
  Claim,
  Eth,
  Icmp,
  Ip,
  Medium,
  type Nic,
  NicWrapper,
  openNic,
  parseNicSpec,
  PointToPoint,
  poll,
  Protocol,
  protocols,
  type Receiver,
  type Slot,
  type TimedSender,
  Udp,
} from "../../mod.ts";
import { setInterfaceUp } from "../../nic/linux/netif.ts";
import * as ethernet from "../../stack/wire/ethernet.ts";
import { APPLIANCE, type Cable, CABLES, PREFIX } from "../support/cables.ts";
import { beside, deno, output } from "./process.ts";
import { type Figure, median } from "./report.ts";
import { Client, type FloodResult } from "./tap-client.ts";
import { Station } from "./tap-station.ts";
import { threadTime } from "./thread-time.ts";

/** Both stacks have it: the kernel would ask for another one only after half a minute. */
const MAC = "02:00:00:00:00:01";

const ECHO_PORT = 7;
const DATA = 18, WARM_UP = 0.7, FLOOD = 1.2, TRIPS = 2_000;

const [kind = "", plan = "full"] = Deno.args;

/** How much is carried over TCP, and in which pieces. */
const CARRIED = (plan === "quick" ? 64 : 256) << 20, PIECE = 1 << 18;

function print(what: string, unit: string, value: number, digits: number): void {
  console.log(JSON.stringify({ title: `${kind}: ${what}`, unit, values: [value], digits } satisfies Figure));
}

/** A NIC that measures the bursts in which there is something to do: the processor time of this thread. */
class Timed extends NicWrapper {
  microseconds = 0;
  frames = 0;

  override rx(max: number, receiver: Receiver<Slot>): number {
    const start = threadTime();
    const count = super.rx(max, receiver);
    if (count > 0) {
      this.microseconds += threadTime() - start;
      this.frames += count;
    }
    return count;
  }
}

/** Turns datagrams to the echo's port round where they lie, without a stack; the rest goes through the tree. */
class Bare implements Receiver<Slot> {
  readonly #tree: Receiver<Slot>;
  readonly #link: number;

  constructor(tree: Receiver<Slot>, medium: Medium) {
    this.#tree = tree;
    this.#link = medium === Medium.Ip ? 0 : ethernet.HEADER_LENGTH;
  }

  receive(slot: Slot): void {
    const { bytes, start } = slot.frame;
    const ip = start + this.#link;
    if (bytes[ip] !== 0x45 || bytes[ip + 9] !== Protocol.Udp || bytes[ip + 23] !== ECHO_PORT) {
      this.#tree.receive(slot);
      return;
    }
    if (this.#link > 0) swap(bytes, start, 6);
    swap(bytes, ip + 12, 4);
    swap(bytes, ip + 20, 2);
    slot.queue();
  }
}

/** Exchanges two fields of `length` bytes that lie side by side. */
function swap(bytes: Uint8Array, at: number, length: number): void {
  for (let index = at; index < at + length; index++) {
    const byte = bytes[index]!;
    bytes[index] = bytes[index + length]!;
    bytes[index + length] = byte;
  }
}

async function flood(seconds: number): Promise<FloodResult> {
  return JSON.parse(await output(deno(beside("nics-client.ts"), APPLIANCE, String(seconds))));
}

/** What floods of the echo are like: the rate, and what a datagram takes from the NIC's hands and back into them. */
async function measureFlood(
  nic: Timed,
  receive: Receiver<Slot>,
  send: TimedSender<Slot>,
): Promise<FloodResult> {
  const stop = new AbortController();
  const polling = poll(nic, { receive, send, signal: stop.signal });
  await flood(WARM_UP);
  nic.microseconds = nic.frames = 0;
  const result = await flood(FLOOD);
  stop.abort();
  await polling;
  return result;
}

/** UDP echo in this process: by a host, and by nothing but the NIC. */
async function measureSide(nic: Nic): Promise<void> {
  const timed = new Timed(nic);
  const { medium } = nic.info;
  const eth = new Eth({ mac: MAC });
  const link = medium === Medium.Ip ? new PointToPoint() : eth;
  const ip = new Ip({ addresses: [`${APPLIANCE}${PREFIX}`] });
  const icmp = new Icmp(), udp = new Udp({ unreachable: icmp });
  new Claim(nic, eth.mac, ip.addresses);
  udp.bind({ port: ECHO_PORT }, (packet) => {
    packet.echo();
  });
  const receive = link.recv(ip.recv(protocols({ icmp: icmp.answer(), udp: udp.recv() })));
  const send = link.send(ip.layerInternal());
  const { answered, seconds, lost } = await measureFlood(timed, receive, send);
  print("UDP, 64 outstanding", "k/s", answered / seconds / 1e3, 0);
  print(
    "UDP, from the NIC and back, its calls included: CPU",
    "us/packet",
    timed.microseconds / timed.frames,
    2,
  );
  if (lost > 0) print("UDP, lost", "packets", lost, 0);
  await measureFlood(timed, new Bare(receive, medium), send);
  print("UDP, the same without a stack: CPU", "us/packet", timed.microseconds / timed.frames, 2);
  nic.close();
}

/** MB/s to a port that takes everything, or from one that sends for ever. */
async function carry(port: number, way: "up" | "down"): Promise<number> {
  using connection = await Deno.connect({ hostname: APPLIANCE, port });
  const piece = new Uint8Array(PIECE);
  const start = performance.now();
  let carried = 0;
  while (carried < CARRIED) {
    carried += (way === "up" ? await connection.write(piece) : await connection.read(piece)) ?? CARRIED;
  }
  return carried / 1e3 / (performance.now() - start);
}

async function measureAppliance(spec: string, options: readonly string[]): Promise<void> {
  await using _station = await Station.on(spec, APPLIANCE, "udp-echo", "discard", "chargen", ...options);
  const client = new Client("udp", APPLIANCE, DATA);
  client.roundTrips(TRIPS, 0);
  print("UDP, round trip", "us", median(client.roundTrips(TRIPS, 0)), 0);
  await carry(9, "up");
  print("TCP, to the appliance", "MB/s", await carry(9, "up"), 0);
  print("TCP, from the appliance", "MB/s", await carry(19, "down"), 0);
}

async function main(cable: Cable | undefined): Promise<void> {
  if (cable === undefined) throw new Error(`there is no kind "${kind}": ${CABLES.map(({ name }) => name)}`);
  setInterfaceUp("lo");
  const spec = await cable.make();
  const { nic } = openNic(parseNicSpec(spec));
  const { medium } = nic.info;
  await measureSide(nic);
  await measureAppliance(spec, medium === Medium.Ip ? [] : ["--mac", MAC]);
}

await main(CABLES.find(({ name }) => name === kind));
