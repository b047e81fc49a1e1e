/**
 * When the clients of a host want to be asked, those of DHCP, DHCPv6, DNS and mDNS, whatever comes in and whatever is done
 * to them.
 *
 * @module
 */
import { ok } from "node:assert/strict";
import { DhcpClient } from "../../../stack/dhcp/client.ts";
import { DhcpInformation } from "../../../stack/dhcp/information.ts";
import { Resolver } from "../../../stack/dns/resolver.ts";
import type { TimedSender } from "../../../stack/handler.ts";
import { protocols } from "../../../stack/ip/protocols.ts";
import { Random } from "../../../stack/loss/random.ts";
import { MdnsResponder } from "../../../stack/mdns/responder.ts";
import { Udp } from "../../../stack/udp/endpoint.ts";
import type { UdpRaw } from "../../../stack/udp/packet.ts";
import { Address } from "../../../stack/wire/address.ts";
import { get16 } from "../../../stack/wire/bytes.ts";
import { MessageType } from "../../../stack/wire/dhcpv4.ts";
import { MULTICAST_PORT, PORT, Type } from "../../../stack/wire/dns.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { Protocol } from "../../../stack/wire/protocol.ts";
import { datagram, LEASED, readDhcp, type ReplyFields, replyFrame } from "../../support/dhcp.ts";
import { dnsMessage, type MessageFields } from "../../support/dns.ts";
import { arpReply, OWN_MAC, PEER, read } from "../../support/frames.ts";
import { OWN_LOCAL6 } from "../../support/frames-v6.ts";
import { type Host, host } from "../../support/host.ts";
import { type Query, readQuery } from "../../support/resolver.ts";
import { type Deed, idleTarget } from "../idle.ts";

const LATE = "10.0.0.99", NAME = "a.example", LOCAL = "b.local", HOSTNAME = "box";
const GROUP = "224.0.0.251", GROUP_MAC = "01:00:5e:00:00:fb";

/** A host whose clients share one place. */
interface Made extends Host {
  readonly clients: ReturnType<typeof clientsOf>;
  /** What was answered to whom. */
  readonly answers: string[];
  /** What may change. */
  readonly state: {
    isWanted: boolean;
    /** The number of the last message of DHCP, and the last query of DNS. */
    transaction: number;
    query: Query | undefined;
    giveUp: () => void;
  };
}

function make(): Made {
  const udp = new Udp();
  const state = { isWanted: false, transaction: 0, query: undefined, giveUp: () => {} };
  let clients: ReturnType<typeof clientsOf> | undefined;
  const made = host({
    ip: { addresses: [`${OWN_LOCAL6}/64`] },
    knowsPeer: false,
    guard: false,
    receive: ({ icmp }) => protocols({ udp: udp.recv(), icmp: icmp.recv(udp.errors()) }),
    send: (host) => {
      clients = clientsOf(host, udp, () => state.isWanted);
      return udp.send(inOrder(udp, Object.values(clients)));
    },
  });
  ok(clients !== undefined);
  return Object.assign(made, { clients, answers: [], state });
}

/** Several senders at one place, always in the same order: what happens at one moment happens in it. */
function inOrder({ counters }: Udp, senders: readonly TimedSender<UdpRaw>[]): TimedSender<UdpRaw> {
  const handedOn = () => counters.sent + counters.notSent;
  return {
    send: (raw) => {
      const before = handedOn();
      senders.find((sender) => {
        sender.send(raw);
        return handedOn() !== before;
      });
    },
    deadline: () => Math.min(...senders.map((sender) => sender.deadline())),
  };
}

function clientsOf({ ip, eth }: Host, udp: Udp, isWanted: () => boolean) {
  const chance = (seed: number) => {
    const random = new Random(seed);
    return () => random.next();
  };
  const servers = [PEER, "10.0.0.3"].map((server) => Address.parse(server));
  return {
    dhcp: new DhcpClient({ ip, udp, mac: eth.mac, random: chance(1) }),
    information: new DhcpInformation({ ip, udp, mac: Mac.parse(OWN_MAC), random: chance(2), isWanted }),
    mdns: new MdnsResponder({ ip, udp, random: chance(3), hostname: HOSTNAME }),
    resolver: new Resolver({ ip, udp, random: chance(4), servers }),
  };
}

const lease = (fields: Omit<ReplyFields, "xid">): Deed<Made> => (made) => {
  made.deliver(replyFrame({ ...fields, xid: made.state.transaction }));
};

const hear = (fields: MessageFields): Deed<Made> => (made) => {
  made.deliver(
    datagram(dnsMessage(fields), PEER, MULTICAST_PORT, GROUP, MULTICAST_PORT, { destination: GROUP_MAC }),
  );
};

const respond = (fields: MessageFields): Deed<Made> => (made) => {
  const { id, name, type, port } = made.state.query ?? { id: 0, name: NAME, type: Type.A, port: 0 };
  made.deliver(
    datagram(dnsMessage({ id, questions: [[name, type]], ...fields }), PEER, PORT, LEASED, port),
  );
};

const ask = (name: string): Deed<Made> => (made, now) => {
  const { resolver } = made.clients;
  const pending = resolver.lookup(name, Type.A, now, ({ status }) => made.answers.push(`${name} ${status}`));
  made.state.giveUp = pending.cancel;
};

/** What happens to it. */
const DEEDS: readonly Deed<Made>[] = [
  () => {},
  lease({ type: MessageType.Offer }),
  lease({ type: MessageType.Ack }),
  lease({ type: MessageType.Ack, lease: 120 }),
  lease({ type: MessageType.Ack, t1: 3_000, t2: 10 }),
  lease({ type: MessageType.Nak }),
  ({ clients }) => clients.dhcp.confirm(),
  ({ clients }) => clients.dhcp.conflict(Address.parse(LEASED)),
  ({ state }) => state.isWanted = true,
  ask(NAME),
  ask(LOCAL),
  ({ state }) => state.giveUp(),
  respond({ answers: [{ name: NAME, type: "A", data: "192.0.2.1" }] }),
  respond({ answers: [{ name: NAME, type: "CNAME", data: "c.example" }] }),
  respond({ flags: 0x8182 }),
  ({ clients }) => clients.mdns.confirm(),
  hear({ flags: 0, questions: [[`${HOSTNAME}.local`, Type.A]] }),
  hear({ flags: 0x8400, answers: [{ name: `${HOSTNAME}.local`, type: "A", data: PEER, class: 0x8001 }] }),
  (made) => made.deliver(arpReply()),
  ({ ip }) => ip.addresses.add(`${LATE}/24`),
  ({ ip }) => ip.addresses.remove(Address.parse(LATE)),
];

/** When clients say that they want to be asked. */
export const clientDeadlines = idleTarget({
  name: "client-deadlines",
  runs: 60,
  make,
  kinds: 1,
  deeds: DEEDS,
  hear: ({ state }, frame) => {
    state.transaction = readDhcp(frame)?.xid ?? state.transaction;
    const { ip, payload } = read(frame);
    if (ip?.protocol === Protocol.Udp && get16(payload, 2) === PORT) state.query = readQuery(frame);
  },
  told: ({ answers }) => answers,
});
