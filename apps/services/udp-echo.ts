/** `udp-echo`: every datagram goes back to its sender as it came (RFC 862). */
import { LayerError, type UdpIn } from "../../mod.ts";
import type { Appliance } from "../appliance.ts";
import type { Service, ServiceCounters } from "./service.ts";

/** What became of the datagrams. */
class EchoCounters implements ServiceCounters {
  /** Datagrams sent back. */
  answered = 0;
  /** Not answered: the answer could not be sent. */
  unanswered = 0;
  /** Not answered: sent to more hosts than this one, who would all flood one sender. */
  group = 0;
  /** Not answered: from port 0, which says that no answer is wanted (RFC 768). */
  noReplyPort = 0;
  /** Not answered: from a port that answers whatever comes, so that the two would never stop. */
  wouldLoop = 0;
}

/** Echo, daytime, quote of the day, chargen and time (RFC 862, 867, 865, 864, 868). */
const ANSWERING_PORTS: ReadonlySet<number> = new Set([7, 13, 17, 19, 37]);

/** The service. */
export const udpEcho: Service = {
  name: "udp-echo",
  meaning: "datagrams go back as they came (RFC 862)",
  transport: "udp",
  port: 7,
  start: ({ udp }: Appliance, port: number) => {
    const counters = new EchoCounters();
    udp.bind({ port }, (datagram: UdpIn) => {
      const { sourcePort } = datagram;
      if (datagram.ip.isGroup) counters.group++;
      else if (sourcePort === 0) counters.noReplyPort++;
      else if (sourcePort === port || ANSWERING_PORTS.has(sourcePort)) counters.wouldLoop++;
      else if (datagram.echo() === LayerError.None) counters.answered++;
      else counters.unanswered++;
    });
    return counters;
  },
};
