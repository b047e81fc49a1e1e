/**
 * One case of `segments`, in a process of its own: bursts of segments go up a host's tree, and what that costs is timed.
 *
 * @module
 */
import { Address, Eth, Icmp, Ip, Mac, protocols, Udp } from "../../mod.ts";
import { DeviceInfo, SlotPool } from "../../nic/device.ts";
import { ALL_IGNORED, ALL_MANUAL } from "../../stack/slot.ts";
import { Sink, StreamReceive } from "../../stack/tcp/buffers.ts";
import { Tcp } from "../../stack/tcp/endpoint.ts";
import { threadTime } from "./thread-time.ts";

/** What is measured. */
export interface SegmentsCase {
  /** Whether segments in a row are joined. */
  readonly joined: boolean;
  /** Whether the NIC has verified checksums. */
  readonly trusted: boolean;
  /** Whether the data is kept and read, or discarded. */
  readonly kept: boolean;
  /** Segments in a burst. */
  readonly burst: number;
  /** How many bursts are counted. */
  readonly bursts: number;
}

const SIZE = 1_448;

function host(last: number) {
  const ip = new Ip({ addresses: [`10.0.0.${last}/24`] });
  const other = 3 - last;
  ip.neighbours.setStatic(Address.parse(`10.0.0.${other}`), Mac.parse(`02:00:00:00:00:0${other}`));
  const eth = new Eth({ mac: `02:00:00:00:00:0${last}` });
  const icmp = new Icmp(), udp = new Udp({ unreachable: icmp });
  const tcp = new Tcp({ secret: [last, 2, 3, 4], receiveWindow: 1 << 20 });
  const tree = eth.recv(ip.recv(protocols({
    icmp: icmp.recv(udp.errors(tcp.errors())),
    udp: udp.recv(),
    tcp: tcp.recv(),
  })));
  return { tcp, tree, send: eth.send(ip.send(tcp.send())) };
}

/** Nanoseconds of this thread's time a segment, from the slot to the user. */
function measure({ joined, trusted, kept, burst, bursts }: SegmentsCase): number {
  const info = new DeviceInfo(trusted ? ALL_IGNORED : ALL_MANUAL, 1_500);
  const client = host(1), server = host(2);
  const receive = joined ? server.tcp.joining(server.tree) : server.tree;
  const stream = new StreamReceive(1 << 20);
  server.tcp.listen({ port: 7 }, (connection) => {
    connection.receiveBuffer = kept ? stream : new Sink(1 << 20);
    return {
      readable: () => {
        stream.discard(stream.length);
        connection.flush();
      },
    };
  });
  client.tcp.tick(info.timestamp);
  client.tcp.connect({
    address: Address.parse("10.0.0.2"),
    port: 7,
    localAddress: Address.parse("10.0.0.1"),
    sendBuffer: { length: 1 << 20, fill: () => {}, ack: () => {} },
    receiveBuffer: new Sink(),
    handler: {},
  })!.control.setMss(SIZE);
  const pool = new SlotPool(burst + 2, SIZE + 70, info);
  const slots = Array.from({ length: burst }, () => pool.take()!);
  let time = 0, count = 0;
  const move = (from: typeof client, to: typeof receive, isTimed: boolean) => {
    let filled = 0;
    while (filled < burst) {
      const slot = slots[filled]!;
      slot.frame.resize(0);
      slot.reset();
      from.send.send(slot);
      if (!slot.queued) break;
      slot.reset();
      filled++;
    }
    const start = threadTime();
    for (let index = 0; index < filled; index++) to.receive(slots[index]!);
    if (isTimed) {
      time += threadTime() - start;
      count += filled;
    }
    return filled;
  };
  const run = (turns: number) => {
    time = count = 0;
    for (let turn = 0; turn < turns; turn++) {
      info.timestamp += 20;
      move(client, receive, true);
      info.timestamp += 20;
      while (move(server, client.tree, false) > 0);
    }
    return time * 1e3 / count;
  };
  run(bursts);
  return run(bursts);
}

if (import.meta.main) console.log(measure(JSON.parse(Deno.args[0]!) as SegmentsCase));
