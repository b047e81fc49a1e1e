/**
 * The load of the `nics` benchmark on one kind of NIC, which it makes.
 *
 * `unshare -n deno run -A tests/bench/nics-load.ts "raw over veth"`: a line of JSON a figure.
 *
 * @module
 */
import { APPLIANCE, CABLES } from "../support/cables.ts";
import { setInterfaceUp } from "../../nic/linux/netif.ts";
import { type Figure, median } from "./report.ts";
import { Client } from "./tap-client.ts";
import { Station } from "./tap-station.ts";

const OUTSTANDING = 64, DATA = 18, WARM_UP = 0.7, FLOOD = 1.2, TRIPS = 2_000;

/** How much is carried over TCP, and in which pieces. */
const CARRIED = 256 << 20, PIECE = 1 << 18;

const [kind = ""] = Deno.args;

function print(what: string, unit: string, value: number, digits: number): void {
  console.log(JSON.stringify({ title: `${kind}: ${what}`, unit, values: [value], digits } satisfies Figure));
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

setInterfaceUp("lo");
const cable = CABLES.find(({ name }) => name === kind);
if (cable === undefined) throw new Error(`there is no kind "${kind}": ${CABLES.map(({ name }) => name)}`);
const nic = await cable.make();
await using station = await Station.on(nic, APPLIANCE, "udp-echo", "discard", "chargen");
const client = new Client("udp", APPLIANCE, DATA);
client.flood(OUTSTANDING, WARM_UP);
client.roundTrips(200, 0);
const before = station.cpuTime();
const { answered, lost, seconds } = client.flood(OUTSTANDING, FLOOD);
const used = station.cpuTime() - before;
print(`UDP, ${OUTSTANDING} outstanding`, "k/s", answered / seconds / 1e3, 0);
print("UDP, CPU of ours, kernel included", "us/packet", used / answered, 2);
if (lost > 0) print("UDP, lost", "packets", lost, 0);
print("UDP, round trip", "us", median(client.roundTrips(TRIPS, 0)), 0);
await carry(9, "up");
print("TCP, to the appliance", "MB/s", await carry(9, "up"), 0);
print("TCP, from the appliance", "MB/s", await carry(19, "down"), 0);
