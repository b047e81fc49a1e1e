/**
 * What the public module is for besides stacks: packets by hand, and the containers.
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import {
  Address,
  Eth,
  External,
  Ip,
  Mac,
  Protocol,
  protocols,
  store,
  StreamReceive,
  Tcp,
  wire,
  WireError,
} from "../../mod.ts";
import * as byteFormats from "../../stack/wire/mod.ts";

const { arp, ethernet, ipv4, tcp: segment } = wire;
const HOST = Address.parse("10.0.0.1"), PEER = Address.parse("10.0.0.2");
const HOST_MAC = Mac.parse("02:00:00:00:00:01"), PEER_MAC = Mac.parse("02:00:00:00:00:02");
const IP_AT = ethernet.HEADER_LENGTH, TCP_AT = IP_AT + ipv4.HEADER_LENGTH;

/** A segment of the peer's without data. */
function fromPeer(flags: number, sequence: number, acknowledgment: number): Uint8Array {
  const frame = new Uint8Array(TCP_AT + segment.HEADER_LENGTH);
  const total = frame.length - IP_AT;
  ethernet.emit(frame, 0, HOST_MAC, PEER_MAC, ethernet.EtherType.Ipv4);
  ipv4.emit(frame, IP_AT, 0, total, 1, ipv4.Flag.DontFragment, 64, Protocol.Tcp, PEER.d, HOST.d);
  ipv4.fillChecksum(frame, IP_AT);
  segment.emit(frame, TCP_AT, 4_000, 7, sequence, acknowledgment, segment.HEADER_LENGTH, flags, 0xffff);
  segment.fillChecksum(frame, TCP_AT, frame.length, PEER, HOST);
  return frame;
}

Deno.test("mod: a peer that acknowledges what was never sent is made of bytes, and gets a reset (RFC 9293 3.10.7.4)", () => {
  const nic = new External();
  const eth = new Eth({ mac: HOST_MAC }), ip = new Ip({ addresses: ["10.0.0.1/24"] });
  const tcp = new Tcp({ secret: [1, 2, 3, 4], mtu: nic.info.mtu });
  let accepted = 0;
  tcp.listen({ port: 7 }, (connection) => {
    accepted++;
    connection.receiveBuffer = new StreamReceive(4_096);
    return {};
  });
  const receive = eth.recv(ip.recv(protocols({ tcp: tcp.recv() })));
  const send = eth.send(ip.send(tcp.send()));
  const exchange = (frame: Uint8Array): Uint8Array => {
    nic.inject(frame);
    nic.rx(1, receive);
    nic.tx(1, send);
    return nic.take()!;
  };
  ip.neighbours.setStatic(PEER, PEER_MAC);

  const answer = exchange(fromPeer(segment.Flag.Syn, 1_000, 0));
  equal(ipv4.check(answer, IP_AT, answer.length), WireError.None);
  equal(ipv4.verifyChecksum(answer, IP_AT), true);
  equal(segment.check(answer, TCP_AT, answer.length), WireError.None);
  equal(segment.flagNames(segment.flags(answer, TCP_AT)), "SYN ACK");
  equal(wire.tcpOptions.maximumSegmentSize(answer, TCP_AT), 1_460);

  const beyond = segment.sequence(answer, TCP_AT) + 1_000;
  const refusal = exchange(fromPeer(segment.Flag.Ack, 1_001, beyond));
  equal(segment.flagNames(segment.flags(refusal, TCP_AT)), "RST");
  equal(segment.sequence(refusal, TCP_AT), beyond >>> 0);
  equal(accepted, 0);
});

Deno.test("mod: an ARP request is made of bytes, and its answer read from them", () => {
  const nic = new External();
  const eth = new Eth({ mac: HOST_MAC }), ip = new Ip({ addresses: ["10.0.0.1/24"] });
  const frame = new Uint8Array(IP_AT + arp.LENGTH);
  ethernet.emit(frame, 0, Mac.parse("ff:ff:ff:ff:ff:ff"), PEER_MAC, ethernet.EtherType.Arp);
  arp.emit(frame, IP_AT, arp.Operation.Request, PEER_MAC, PEER.d, new Mac(), HOST.d);
  nic.inject(frame);
  nic.rx(1, eth.recv(ip.recv(() => {})));
  const answer = nic.take()!;
  equal(arp.check(answer, IP_AT, answer.length), WireError.None);
  equal(arp.operation(answer, IP_AT), arp.Operation.Reply);
  equal(new Mac().read(answer, IP_AT + arp.SENDER_MAC).equals(HOST_MAC), true);
});

/** The modules of a folder that are not parts of others, as names. */
function names(folder: string, left: RegExp): string[] {
  const files = [...Deno.readDirSync(new URL(`../../stack/${folder}/`, import.meta.url))];
  return files.map(({ name }) => name.replace(/\.ts$/, "")).filter((name) => !left.test(name))
    .map((name) => name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())).sort();
}

Deno.test("mod: every byte format is there to be used", () => {
  // Addresses and errors are exported by themselves, names, printing and sums by functions that do it all.
  const other = /^(mod|address.*|cidr|mac|error|protocol|pretty|.*-names|arena.*|sum.*)$/;
  const namespaces = Object.entries(byteFormats).filter(([, value]) => typeof value === "object");
  deepEqual(namespaces.map(([name]) => name).sort(), names("wire", other));
});

Deno.test("mod: the containers are there to be used", () => {
  const ring = new store.RingBuffer(new Uint8Array(8));
  deepEqual([ring.enqueue(new Uint8Array(10)), ring.dequeue(new Uint8Array(10))], [8, 8]);
  const slots = new store.SlotMap<string>(2);
  const key = slots.insert("first");
  slots.remove(key);
  equal(slots.get(key), undefined, "a stale key yields nothing");
});
