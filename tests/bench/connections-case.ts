/**
 * One case of `connections` in memory, in a process of its own: two hosts, of which one opens connections, has a byte
 * echoed on each and closes it, many at a time; what that costs each of them is timed.
 *
 * @module
 */
import {
  Address,
  type CongestionName,
  type ConnectionHandler,
  Eth,
  Ip,
  Mac,
  protocols,
  type Receiver,
  type Slot,
  Through,
  type TimedSender,
} from "../../mod.ts";
import { DeviceInfo, SlotPool } from "../../nic/device.ts";
import { ALL_MANUAL } from "../../stack/slot.ts";
import { type SendBuffer, Sink } from "../../stack/tcp/buffers.ts";
import { Tcp } from "../../stack/tcp/endpoint.ts";
import { allocatedBytes } from "./sim_tcp.ts";
import { threadTime } from "./thread-time.ts";

/** What is measured. */
export interface ConnectionsCase {
  readonly congestion: CongestionName;
  /** Connections that are opened at once. */
  readonly parallel: number;
  /** How many are counted, after as many that are not. */
  readonly count: number;
}

/** What a connection costs. */
export interface ConnectionsCost {
  /** Microseconds of this thread on the side that accepts, echoes and closes second. */
  readonly server: number;
  /** On the side that connects and closes first. */
  readonly client: number;
  /** Bytes that both allocate, their users included. */
  readonly allocated: number;
}

const PORT = 7, SLOTS = 128, FRAME = 1_514;
/** Far fewer than there are ports, so that one is free at the first try. */
const TIME_WAITS = 1_024;

/** A host, and what it takes. */
class Side {
  readonly tcp: Tcp;
  readonly tree: Receiver<Slot>;
  readonly sender: TimedSender<Slot>;
  microseconds = 0;

  constructor(last: number, congestion: CongestionName) {
    const ip = new Ip({ addresses: [`10.0.0.${last}/24`] });
    const other = 3 - last;
    ip.neighbours.setStatic(Address.parse(`10.0.0.${other}`), Mac.parse(`02:00:00:00:00:0${other}`));
    const eth = new Eth({ mac: `02:00:00:00:00:0${last}` });
    this.tcp = new Tcp({ secret: [last, 2, 3, 4], timeWaits: TIME_WAITS, congestion });
    this.tree = this.tcp.joining(eth.recv(ip.recv(protocols({ tcp: this.tcp.recv() }))));
    this.sender = eth.send(ip.send(this.tcp.send()));
  }
}

class OneByte implements SendBuffer {
  length = 1;
  fill(): void {}
  ack(): void {
    this.length = 0;
  }
}

/** What `serve tcp-echo` does. */
const ECHO: ConnectionHandler = {
  readable: (connection) => connection.flush(),
  writable: (connection) => connection.flush(),
  peerClosed: (connection) => connection.close(),
};

function measure({ congestion, parallel, count }: ConnectionsCase): ConnectionsCost {
  const info = new DeviceInfo(ALL_MANUAL, 1_500);
  const client = new Side(1, congestion), server = new Side(2, congestion);
  server.tcp.listen({ port: PORT }, (connection) => {
    connection.sendBuffer = connection.receiveBuffer = new Through();
    return ECHO;
  });
  let closed = 0;
  const sink = new Sink();
  const handler: ConnectionHandler = {
    readable: (connection) => connection.close(),
    closed: () => void closed++,
  };
  const address = Address.parse("10.0.0.2"), localAddress = Address.parse("10.0.0.1");
  const pool = new SlotPool(SLOTS, FRAME, info);
  const slots = Array.from({ length: SLOTS }, () => pool.take()!);

  /** Carries what `from` has to send; whether that was anything. */
  const carry = (from: Side, to: Side): boolean => {
    info.timestamp += 10;
    const start = threadTime();
    let filled = 0;
    for (; filled < SLOTS; filled++) {
      const slot = slots[filled]!;
      slot.frame.resize(0);
      slot.reset();
      from.sender.send(slot);
      if (!slot.queued) break;
    }
    const sent = threadTime();
    for (let index = 0; index < filled; index++) {
      const slot = slots[index]!;
      slot.reset();
      to.tree.receive(slot);
      if (slot.queued) throw new Error("a segment was answered where it lay, and nobody carries the answer");
    }
    from.microseconds += sent - start;
    if (filled > 0) to.microseconds += threadTime() - sent;
    return filled > 0;
  };
  const run = (wanted: number) => {
    client.microseconds = server.microseconds = closed = 0;
    while (closed < wanted) {
      const start = threadTime();
      client.tcp.tick(info.timestamp);
      for (let opened = 0; opened < parallel; opened++) {
        client.tcp.connect({
          address,
          port: PORT,
          localAddress,
          sendBuffer: new OneByte(),
          receiveBuffer: sink,
          handler,
        });
      }
      client.microseconds += threadTime() - start;
      const before = closed;
      while (carry(client, server) || carry(server, client));
      if (closed - before !== parallel) {
        throw new Error(`${closed - before} of ${parallel} connections have ended`);
      }
    }
  };
  run(count);
  const before = allocatedBytes();
  run(count);
  return {
    server: server.microseconds / closed,
    client: client.microseconds / closed,
    allocated: (allocatedBytes() - before) / closed,
  };
}

if (import.meta.main) console.log(JSON.stringify(measure(JSON.parse(Deno.args[0]!) as ConnectionsCase)));
