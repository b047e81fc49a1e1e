/**
 * Several packet sockets on one interface, over which the kernel shares frames out by the hash of their flows
 * (PACKET_FANOUT; Documentation/networking/packet_mmap.rst of Linux).
 *
 * Fragments are left to the stacks: the kernel could put those of IPv4 together before, but what it makes is longer
 * than the link, and no answer to it would fit.
 *
 * @module
 */
import type { Mac } from "../../stack/wire/mac.ts";
import { NicError } from "../error.ts";
import type { Instruction } from "../filter/instruction.ts";
import { Op } from "../filter/instruction.ts";
import { hardwareAddress } from "./netif.ts";
import { packetFilter } from "./packet-filter.ts";
import { newRingPlace, PacketRing } from "./packet-ring.ts";
import { Membership, PacketSocket } from "./packet-socket.ts";
import type { RawHandout, RawOptions } from "./raw.ts";

/** Lets nothing pass. */
const NOTHING: readonly Instruction[] = [{ code: Op.ReturnK, jt: 0, jf: 0, k: 0 }];

/** The sockets of an interface. */
export class RawQueues {
  readonly #sockets: readonly PacketSocket[];
  readonly #isPromiscuous: boolean;
  #isClaimed = false;

  /** Opens `count`. Throws {@linkcode NicError}. */
  constructor(name: string, count: number, { promiscuous = false }: RawOptions = {}) {
    this.#isPromiscuous = promiscuous;
    if (hardwareAddress(name) === undefined) {
      throw new NicError(name, "invalid", "the interface is not Ethernet", "choose another one, or a tun:");
    }
    const sockets: PacketSocket[] = this.#sockets = [];
    try {
      let group: number | undefined;
      while (sockets.length < count) {
        const socket = new PacketSocket(name);
        sockets.push(socket);
        PacketRing.make(socket);
        // Until it is one of several, each would have all frames.
        socket.filter(NOTHING, false);
        socket.bind();
        group = socket.shareOut(group);
      }
      if (promiscuous) sockets[0]?.join(Membership.Promiscuous);
      for (const socket of sockets) socket.filter(packetFilter(undefined), false);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The sockets for other threads, each with the eventfd that wakes its user. */
  handouts(events: readonly number[]): readonly RawHandout[] {
    return this.#sockets.map(({ fd, hasHeader }, index) => {
      return { fd, hasHeader, place: newRingPlace(), lentWith: events[index]! };
    });
  }

  /** From now on only frames for `mac` and for groups come in, unless all are wanted. The first claim lasts. */
  claim(mac: Mac): void {
    if (this.#isClaimed) return;
    this.#isClaimed = true;
    this.#sockets[0]?.join(Membership.Station, mac);
    this.#sockets[0]?.join(Membership.AllGroups);
    for (const socket of this.#sockets) {
      socket.filter(packetFilter(this.#isPromiscuous ? undefined : mac), true);
    }
  }

  /** Gives the sockets back, once nobody uses them. */
  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}
