/**
 * Everything that is fuzzed.
 *
 * @module
 */
import type { Target } from "./target.ts";
import { bindings } from "./targets/bindings.ts";
import { bpf, bpfText } from "./targets/bpf.ts";
import { clientDeadlines } from "./targets/client-deadlines.ts";
import { controlLines, controlWords } from "./targets/control.ts";
import { deadlines } from "./targets/deadlines.ts";
import { dhcpReplies } from "./targets/dhcp.ts";
import { dhcpServer } from "./targets/dhcp-server.ts";
import { dhcpv6Replies } from "./targets/dhcpv6.ts";
import { dnsMessages } from "./targets/dns.ts";
import { drill } from "./targets/drill.ts";
import { forward } from "./targets/forward.ts";
import { iperf3Server } from "./targets/iperf3.ts";
import { joining } from "./targets/joining.ts";
import { linkControl } from "./targets/link-control.ts";
import { pcap } from "./targets/pcap.ts";
import { pretty } from "./targets/pretty.ts";
import { reassembly } from "./targets/reassembly.ts";
import { faults, specs } from "./targets/specs.ts";
import { text } from "./targets/text.ts";
import { tunnel } from "./targets/tunnel.ts";
import { tree } from "./targets/tree.ts";
import { virtioHeader } from "./targets/virtio.ts";
import { wire } from "./targets/wire.ts";

/** All targets, in the order in which they are run. */
export const TARGETS: readonly Target[] = [
  pretty,
  wire,
  text,
  pcap,
  bpf,
  bpfText,
  faults,
  specs,
  controlLines,
  controlWords,
  drill,
  bindings,
  forward,
  tunnel,
  virtioHeader,
  joining,
  linkControl,
  deadlines,
  clientDeadlines,
  dnsMessages,
  dhcpReplies,
  dhcpServer,
  dhcpv6Replies,
  reassembly,
  iperf3Server,
  tree,
];
