/**
 * ethox: a TCP/IP network stack that is a program of its own, on a Linux TAP or in memory.
 *
 * A stack is a tree of handlers. Endpoints hold each layer's state, receivers and senders put them into a tree, and a
 * NIC drives it:
 *
 * ```ts
 * import { Eth, External, Icmp, Ip } from "@ethox/ethox";
 *
 * const eth = new Eth({ mac: "02:00:00:00:00:01" });
 * const ip = new Ip({ addresses: ["10.0.0.1/24"] });
 * const icmp = new Icmp();
 * const nic = new External();
 *
 * const receive = eth.recv(ip.recv(icmp.answer())); // built once, used for every burst
 * const send = eth.send(ip.layerInternal());
 * nic.rx(64, receive);
 * nic.tx(64, send);
 * ```
 *
 * @module
 */
export * from "./stack/error.ts";
export * from "./stack/frame.ts";
export { completeChecksum } from "./stack/offload.ts";
export * from "./stack/guard.ts";
export * from "./stack/handler.ts";
export type * from "./stack/link.ts";
export * from "./stack/slot.ts";
export * from "./stack/store/time.ts";
export { TokenBucket } from "./stack/store/token-bucket.ts";
/** Containers of fixed capacity, for layers and buffers of one's own: `new store.RingBuffer(bytes)`. */
export * as store from "./stack/store/mod.ts";

export { Address } from "./stack/wire/address.ts";
export type { AddressWords } from "./stack/wire/address-text.ts";
export { Cidr } from "./stack/wire/cidr.ts";
export { WireError, wireErrorName } from "./stack/wire/error.ts";
export { EtherType } from "./stack/wire/ethernet.ts";
export { Mac } from "./stack/wire/mac.ts";
export { Type as IcmpType, Unreachable as UnreachableCode } from "./stack/wire/icmpv4.ts";
export { describe, describeIp, explain, explainIp } from "./stack/wire/pretty/frame.ts";
export { Protocol, protocolName } from "./stack/wire/protocol.ts";
/** The byte formats, a namespace a protocol: `wire.tcp.flags(bytes, at)`. */
export * as wire from "./stack/wire/mod.ts";

export * from "./stack/host/addresses.ts";
export { orderDestinations } from "./stack/host/address-policy.ts";
export * from "./stack/host/neighbours.ts";
export * from "./stack/host/routes.ts";

export { Eth, EthCounters, type EthOptions } from "./stack/eth/endpoint.ts";
export { Vlan, VlanCounters, type VlanStation } from "./stack/eth/vlan.ts";
export type { EthIn, EthInit, EthOut, EthRaw } from "./stack/eth/packet.ts";
export { PointToPoint, PointToPointCounters } from "./stack/ptp/endpoint.ts";
export { Arp, ArpCounters, type ArpOptions } from "./stack/arp/endpoint.ts";
export { type Claiming, ConflictCounters, ConflictDetection } from "./stack/arp/conflict.ts";
export { Operation as ArpOperation } from "./stack/wire/arp.ts";
export type { ArpBase, ArpIn, ArpInit, ArpOut, ArpRaw } from "./stack/arp/packet.ts";
export { Ip, IpCounters, type IpOptions, type LinkControl } from "./stack/ip/endpoint.ts";
export { ErrorReporter } from "./stack/ip/errors.ts";
export { PathMtus } from "./stack/ip/path-mtu.ts";
export type { ReassemblyOptions } from "./stack/ip/reassembly.ts";
export { Type as Icmpv6Type, Unreachable as Icmpv6UnreachableCode } from "./stack/wire/icmpv6.ts";
export type { IpBase, IpHeader, IpIn, IpInit, IpOut, IpRaw } from "./stack/ip/packet.ts";
export { type EchoMode, Icmp, IcmpCounters, type IcmpOptions } from "./stack/icmp/endpoint.ts";
export type { IcmpBase, IcmpHeader, IcmpIn, IcmpInit, IcmpOut, IcmpRaw } from "./stack/icmp/packet.ts";
export { Ndp, type NdpOptions } from "./stack/ndp/endpoint.ts";
export { Membership } from "./stack/multicast/endpoint.ts";
export { MembershipCounters } from "./stack/multicast/counters.ts";
export { NdpCounters } from "./stack/ndp/counters.ts";
export { type DefaultRouter, DefaultRouters } from "./stack/ndp/routers.ts";
export { Redirects } from "./stack/host/redirects.ts";
export { RouterDns } from "./stack/ndp/dns.ts";
export { Slaac } from "./stack/ndp/slaac.ts";
export { Autoconf, type AutoconfOptions } from "./stack/ndp/autoconf.ts";
export { InterfaceIds } from "./stack/ndp/interface-id.ts";
export { Quote } from "./stack/icmp/quote.ts";
export type { ProbeKind } from "./stack/icmp/probe.ts";
export {
  type HopResult,
  type ProbeResult,
  Traceroute,
  type TracerouteOptions,
} from "./stack/icmp/traceroute.ts";
export { ForwardCounters } from "./stack/forward/counters.ts";
export { Forwarder, type PortOptions } from "./stack/forward/endpoint.ts";
export { ForwardPort } from "./stack/forward/port.ts";
export { TunnelCounters } from "./stack/tunnel/counters.ts";
export { Tunnel, type TunnelOptions } from "./stack/tunnel/endpoint.ts";
export { TunnelInfo } from "./stack/tunnel/info.ts";
export { Path } from "./stack/ip/path.ts";
export { type ProtocolHandlers, protocols } from "./stack/ip/protocols.ts";
export { Udp, UdpCounters, type UdpOptions } from "./stack/udp/endpoint.ts";
export { Binding, type BindOptions, type Endpoint } from "./stack/udp/bindings.ts";
export type { UdpBase, UdpHeader, UdpIn, UdpInit, UdpOut, UdpRaw } from "./stack/udp/packet.ts";
export { type ConnectOptions, Tcp, type TcpOptions, type TcpSettings } from "./stack/tcp/endpoint.ts";
export { knowsConnection } from "./stack/tcp/knows.ts";
export { TcpCounters } from "./stack/tcp/counters.ts";
export { CloseReason, Connection, type ConnectionHandler } from "./stack/tcp/connection.ts";
export type { ConnectionInfo } from "./stack/tcp/info.ts";
export { type Accept, Listener, type ListenOptions } from "./stack/tcp/listener.ts";
export { BufferSize, type Growing } from "./stack/tcp/buffer-size.ts";
export {
  EMPTY,
  FromBytes,
  IntoBytes,
  type ReceiveBuffer,
  type SendBuffer,
  Sink,
  StreamReceive,
  StreamSend,
  Through,
} from "./stack/tcp/buffers.ts";
export { ConnectionState, stateName } from "./stack/tcp/state.ts";
export type { Micros } from "./stack/tcp/clock.ts";
export { Bbr } from "./stack/tcp/congestion/bbr.ts";
export { CONGESTION_CONTROLS, type CongestionName } from "./stack/tcp/congestion/choice.ts";
export type { CongestionControl } from "./stack/tcp/congestion/control.ts";
export { Cubic } from "./stack/tcp/congestion/cubic.ts";
export { CubicPlus } from "./stack/tcp/congestion/cubic-plus.ts";
export type { LossJudge } from "./stack/tcp/congestion/loss-judge.ts";
export { NewReno } from "./stack/tcp/congestion/newreno.ts";
export type { SipKey } from "./stack/store/siphash.ts";
export type { DeliverySample, LostSegment } from "./stack/tcp/congestion/sample.ts";
export type { TcpBase, TcpHeader, TcpIn, TcpInit, TcpOut, TcpRaw } from "./stack/tcp/packet.ts";
export { Ping, type PingError, type PingOptions, type PingResult } from "./stack/icmp/ping.ts";
export {
  type AddressProbe,
  DhcpClient,
  type DhcpClientOptions,
  type HeldLease,
} from "./stack/dhcp/client.ts";
export { MdnsCounters } from "./stack/mdns/counters.ts";
export { type MdnsOptions, MdnsResponder, type MdnsState } from "./stack/mdns/responder.ts";
export {
  DhcpInformation,
  DhcpInformationCounters,
  type DhcpInformationOptions,
} from "./stack/dhcp/information.ts";
export { DhcpServer, DhcpServerCounters, type DhcpServerOptions } from "./stack/dhcp/server.ts";
export { type KeptLease, type LeaseEntry, Leases, LeaseState } from "./stack/dhcp/leases.ts";
export type { Lease, LeasedRoute } from "./stack/dhcp/lease.ts";
export { DhcpClientCounters, type DhcpEvent, type DhcpLoss, DhcpState } from "./stack/dhcp/state.ts";

export { ALIASES_MAX, type DnsAnswer, type DnsStatus } from "./stack/dns/answer.ts";
export { ResolverCounters } from "./stack/dns/counters.ts";
export { DnsCache } from "./stack/dns/cache.ts";
export {
  type Answered,
  type Pending,
  type QueryOptions,
  Resolver,
  type ResolverOptions,
} from "./stack/dns/resolver.ts";
export { reverseName } from "./stack/dns/search.ts";
export {
  Flag as DnsFlag,
  ResponseCode as DnsResponseCode,
  Section as DnsSection,
  Type as DnsType,
} from "./stack/wire/dns.ts";
export type {
  CaaData,
  DnsRecord,
  MxData,
  NaptrData,
  RecordData,
  SoaData,
  SrvData,
} from "./stack/wire/dns-record.ts";

export { Stack, type StackCounters, type TcpConnectOptions } from "./sockets/stack.ts";
export type { StackOptions } from "./sockets/stack-options.ts";
export type { ResolvedRecord, ResolveOptions, ResolveType } from "./sockets/resolve.ts";
export type { TcpAddr, UdpAddr } from "./sockets/address.ts";
export { TcpConn } from "./sockets/conn.ts";
export { TcpListener, type TcpListenOptions } from "./sockets/listener.ts";
export type { MulticastV4Membership, MulticastV6Membership } from "./sockets/multicast.ts";
export { type Datagram, DatagramConn, type DatagramOptions } from "./sockets/datagram.ts";
export { HttpServer, type ServeHandler, type ServeInfo, type ServeOptions } from "./sockets/serve.ts";
export { Net, type NetServerClass, type NetSocketClass } from "./sockets/net.ts";
export { type NetListenOptions, NetServer, type NetServerOptions } from "./sockets/net-server.ts";
export {
  type NetAddress,
  type NetConnectOptions,
  NetSocket,
  type NetSocketOptions,
} from "./sockets/net-socket.ts";

export {
  BaseSlot,
  type Claimed,
  DeviceInfo,
  DeviceSlot,
  type Nic,
  NicCounters,
  SlotPool,
} from "./nic/device.ts";
export { Claim, type ClaimedAddresses } from "./nic/claim.ts";
export { monotonic } from "./nic/clock.ts";
export { MemoryNic, type MemoryOptions } from "./nic/memory.ts";
export { SlotQueue } from "./nic/slot-queue.ts";
export { External, type ExternalOptions } from "./nic/external.ts";
export { link, LinkEnd, type LinkOptions } from "./nic/link/link.ts";
export type { Faults } from "./nic/link/faults.ts";
export { FAULT_PARTS, type LinkFaults, parseFaults } from "./nic/link/parse.ts";
export { Fate, fateName, PipeCounters } from "./nic/link/fate.ts";
export { Pipe, type PipeOptions, type PipeTrace } from "./nic/link/pipe.ts";
export { Network, type NetworkOptions } from "./nic/link/network.ts";
export type { NetworkEvent } from "./nic/link/event.ts";
export type { HostOptions, Hub, Port } from "./nic/link/port.ts";
export { faulty, type FaultyNic, type FaultyOptions } from "./nic/fault.ts";
export { Loopback, type LoopbackOptions } from "./nic/loopback.ts";
export { type Direction, observe, type Observer } from "./nic/observe.ts";
export { type NicOutlet, outlet } from "./nic/outlet.ts";
export { BURST, poll, type PollOptions } from "./nic/poll.ts";
export { DatagramTrain } from "./nic/datagram-train.ts";
export { Segmenter } from "./nic/segmenter.ts";
export { segmenting } from "./nic/segmenting.ts";
export { NicWrapper } from "./nic/wrapper.ts";
export { openQueue, type QueueHandout, type QueueNic, Queues } from "./nic/queues.ts";
export { HubNic, type HubWait } from "./nic/shard/hub-nic.ts";
export { MEMBERS_MAX, MeshCounters, meshMemory, MeshPort, setPresent } from "./nic/shard/mesh.ts";
export { FrameNote, RecordKind } from "./nic/shard/frame-ring.ts";
export { ShardNic } from "./nic/shard/shard-nic.ts";
export { Sorter } from "./nic/shard/sorter.ts";

export { filter, FilterCounters, FilteredNic, type Framed, matching } from "./nic/filter/filter.ts";
export { BpfError, type Instruction } from "./nic/filter/instruction.ts";
export { BpfProgram } from "./nic/filter/program.ts";

export { capture, type CaptureOptions } from "./nic/pcap/capture.ts";
export { ClassicPcapWriter } from "./nic/pcap/classic-writer.ts";
export { DropWatch, type DropWatchOptions, isDropCounter } from "./nic/pcap/drop-watch.ts";
export { PcapError } from "./nic/pcap/error.ts";
export type { PcapSink } from "./nic/pcap/output.ts";
export { LinkType, linkTypeOf, type PcapInterface, type PcapPacket } from "./nic/pcap/packet.ts";
export { PcapReader, readPcap, readPcapStream } from "./nic/pcap/reader.ts";
export { replay, type ReplayAnswer, type ReplayOptions, type ReplayResult } from "./nic/pcap/replay.ts";
export {
  type FrameWriter,
  type PcapStatistics,
  PcapWriter,
  type PcapWriterOptions,
} from "./nic/pcap/writer.ts";
export { NicError, type NicErrorKind } from "./nic/error.ts";
export { type OpenedNic, openNic, type OpenOptions } from "./nic/open.ts";
export {
  formatNicSpec,
  type LinkSpec,
  NIC_SPECS,
  type NicSpec,
  type NicSpecForm,
  parseNicSpec,
  type RawSpec,
  type TapSpec,
  type TunSpec,
  type XdpSpec,
} from "./nic/spec.ts";
export type { SpecOption } from "./nic/spec-options.ts";
export type { RingPlace } from "./nic/linux/packet-ring.ts";
export type { LentSocket } from "./nic/linux/packet-socket.ts";
export { openRaw, probeRaw, type Raw, type RawHandout, type RawOptions } from "./nic/linux/raw.ts";
export { openTap, openTun, type Tap, type TapOptions } from "./nic/linux/tap.ts";
export { openXdp, probeXdp, type Xdp, type XdpOptions } from "./nic/linux/xdp.ts";
export type { XdpMode } from "./nic/linux/xdp-hook.ts";
export type { TapAttachment, TapAttachOptions, TunMode } from "./nic/linux/tun.ts";
export type { Offloads } from "./nic/linux/tun-offload.ts";
export type { Agreed } from "./nic/linux/virtio-header.ts";
export { kernelCongestion } from "./nic/linux/congestion.ts";
export { EventFd } from "./nic/linux/event.ts";
export { followClock, Waiter, type WaiterOptions } from "./nic/linux/waiter.ts";
export { Poller, Ready } from "./nic/linux/poller.ts";
export { UnixListener, UnixStream } from "./nic/linux/unix-socket.ts";
export { setInterfaceAddress, setInterfaceUp } from "./nic/linux/netif.ts";

export { type Losable, Loss, LossCounters, type LossOptions } from "./stack/loss/endpoint.ts";
export * from "./stack/loss/models.ts";
export { Random } from "./stack/loss/random.ts";
export {
  KernelPing,
  type PingOptions as KernelPingOptions,
  type PingResult as KernelPingResult,
} from "./nic/linux/icmp-socket.ts";
export { type NamespaceSupport, namespaceSupport, spawnInNamespace } from "./nic/linux/netns.ts";
export { becomeUser, confine, dropCapabilities, findUser, type User } from "./nic/linux/privileges.ts";
