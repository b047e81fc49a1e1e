/**
 * The load of the `nics` benchmark on one kind of NIC, which it makes.
 *
 * `unshare -n deno run -A tests/bench/nics-load.ts "raw over veth"`: a line of JSON a figure.
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
  protocols,
  type Receiver,
  type Slot,
  Udp,
} from "../../mod.ts";
import { setInterfaceUp } from "../../nic/linux/netif.ts";
import { APPLIANCE, type Cable, CABLES, PREFIX } from "../support/cables.ts";
import { beside, deno, output } from "./process.ts";
import { type Figure, median } from "./report.ts";
import { Client, type FloodResult } from "./tap-client.ts";
import { Station } from "./tap-station.ts";

const DATA = 18, WARM_UP = 0.7, FLOOD = 1.2, TRIPS = 2_000;

/** How much is carried over TCP, and in which pieces. */
const CARRIED = 256 << 20, PIECE = 1 << 18;

const [kind = ""] = Deno.args;

function print(what: string, unit: string, value: number, digits: number): void {
  console.log(JSON.stringify({ title: `${kind}: ${what}`, unit, values: [value], digits } satisfies Figure));
}

/** A NIC that measures the bursts in which there is something to do. */
class Timed extends NicWrapper {
  milliseconds = 0;
  frames = 0;

  override rx(max: number, receiver: Receiver<Slot>): number {
    const start = performance.now();
    const count = super.rx(max, receiver);
    if (count > 0) {
      this.milliseconds += performance.now() - start;
      this.frames += count;
    }
    return count;
  }
}

async function flood(seconds: number): Promise<FloodResult> {
  return JSON.parse(await output(deno(beside("nics-client.ts"), APPLIANCE, String(seconds))));
}

/** UDP echo by a host in this process: what a datagram takes from the NIC's hands and back into them. */
async function measureSide(nic: Nic): Promise<void> {
  const timed = new Timed(nic);
  const eth = new Eth({ mac: "02:00:00:00:00:01" });
  const link = nic.info.medium === Medium.Ip ? new PointToPoint() : eth;
  const ip = new Ip({ addresses: [`${APPLIANCE}${PREFIX}`] });
  const icmp = new Icmp(), udp = new Udp({ unreachable: icmp });
  new Claim(nic, eth.mac, ip.addresses);
  udp.bind({ port: 7 }, (packet) => {
    packet.echo();
  });
  const receive = link.recv(ip.recv(protocols({ icmp: icmp.answer(), udp: udp.recv() })));
  const stop = new AbortController();
  const polling = poll(timed, { receive, send: link.send(ip.layerInternal()), signal: stop.signal });
  await flood(WARM_UP);
  timed.milliseconds = timed.frames = 0;
  const { answered, seconds, lost } = await flood(FLOOD);
  stop.abort();
  await polling;
  nic.close();
  print("UDP, 64 outstanding", "k/s", answered / seconds / 1e3, 0);
  print(
    "UDP, from the NIC and back, its calls included",
    "us/packet",
    timed.milliseconds * 1e3 / timed.frames,
    2,
  );
  if (lost > 0) print("UDP, lost", "packets", lost, 0);
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

async function measureAppliance(spec: string): Promise<void> {
  await using _station = await Station.on(spec, APPLIANCE, "udp-echo", "discard", "chargen");
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
  await measureSide(openNic(parseNicSpec(spec)).nic);
  await measureAppliance(spec);
}

await main(CABLES.find(({ name }) => name === kind));
