/**
 * The place of a {@linkcode Tcp} endpoint in a sending tree.
 *
 * @module
 */
import type { TimedSender } from "../handler.ts";
import type { IpRaw } from "../ip/packet.ts";
import type { Instant } from "../store/time.ts";
import type { Micros } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { Tcp } from "./endpoint.ts";
import { TcpPacket, type TcpRaw } from "./packet.ts";
import { Filled, isDone, SegmentWriter } from "./segment-out.ts";
import type { ConnectionTable } from "./table.ts";
import { abandon } from "./thrown.ts";

/** Fills one segment after the other, each connection in its turn. */
export class TcpSender implements TimedSender<IpRaw> {
  readonly #table: ConnectionTable;
  readonly #tcp: Tcp;
  readonly #packet: TcpPacket;
  readonly #writer = new SegmentWriter();

  /** A place for the endpoint of these connections. */
  constructor(tcp: Tcp, table: ConnectionTable) {
    this.#tcp = tcp;
    this.#table = table;
    this.#packet = new TcpPacket(tcp);
  }

  send(ip: IpRaw): void {
    this.#tcp.run.end();
    this.#tcp.pathMtus = ip.ip.pathMtus;
    this.#tcp.follow(ip.info);
    const now = this.#tcp.clock.micros;
    const packet = this.#packet;
    for (let c = this.#table.nextReady(); c !== undefined; c = this.#table.nextReady()) {
      const filled = this.#fill(c, packet.enterRaw(ip), now);
      if (filled === Filled.Sent) {
        if (c.rstWanted || c.lastWords) this.#tcp.forget(c);
        else if (isDone(c)) this.#table.done(c);
        else this.#table.again(c);
        break;
      }
      if (filled === Filled.Blocked) this.#table.block(c);
      else this.#table.rest(c);
    }
    packet.leave();
  }

  #fill(c: Connection, raw: TcpRaw, now: Micros): Filled {
    try {
      return this.#writer.fill(c, raw, now);
    } catch (thrown) {
      return abandon(c, thrown);
    }
  }

  deadline(): Instant {
    // What ends in TIME-WAIT makes its ports free for whoever connects from a host at rest.
    return Math.min(this.#table.deadline(), this.#tcp.timeWaits.deadline());
  }
}
