/**
 * When a host wants to be asked that makes its addresses itself, whatever comes in and whatever is done to it.
 *
 * @module
 */
import { AddressState } from "../../../stack/host/addresses.ts";
import { Autoconf } from "../../../stack/ndp/autoconf.ts";
import { type Instant, seconds } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Mac } from "../../../stack/wire/mac.ts";
import { arpFrame, arpReply, echoRequest, echoRequest6, OWN_MAC } from "../../support/frames.ts";
import { PEER6 } from "../../support/frames-v6.ts";
import { query, query6 } from "../../support/groups.ts";
import { type Host, host } from "../../support/host.ts";
import {
  advertisement,
  prefixOption,
  probe,
  redirect,
  ROUTER,
  ROUTER_MAC,
  routerAdvertisement,
  solicitation,
} from "../../support/ndp.ts";
import { type Deed, idleTarget } from "../idle.ts";

/** A host that makes its addresses itself. */
interface Made extends Host {
  readonly autoconf: Autoconf;
}

const LATE4 = "10.0.0.7", LATE6 = "2001:db8::77";
const GROUP4 = "239.1.2.3", GROUP6 = "ff05::1:3";

const hear = (frame: Uint8Array): Deed<Made> => (made) => made.deliver(frame);

const add = (cidr: string, state: AddressState): Deed<Made> => ({ ip }) => ip.addresses.add(cidr, { state });

const lend = (cidr: string, preferred: Instant, valid: Instant): Deed<Made> => ({ ip }, now) => {
  ip.addresses.add(cidr, { preferredUntil: now + preferred, validUntil: now + valid });
};

const lookUp = (address: string): Deed<Made> => ({ ip }, now) => {
  ip.neighbours.lookup(Address.parse(address), now, new Mac());
};

/** What happens to a host. */
const DEEDS: readonly Deed<Made>[] = [
  () => {},
  hear(routerAdvertisement({ options: [prefixOption()] })),
  hear(routerAdvertisement({ options: [prefixOption({ valid: 30, preferred: 10 })], lifetime: 20 })),
  hear(routerAdvertisement({ lifetime: 0 })),
  hear(routerAdvertisement({ retrans: 3_000, reachable: 10_000 })),
  hear(solicitation()),
  hear(probe(LATE6)),
  hear(advertisement({ source: LATE6, target: LATE6, flags: "O", destination: "ff02::1" })),
  hear(advertisement()),
  hear(advertisement({ source: ROUTER, target: ROUTER, flags: "RSO", link: { source: ROUTER_MAC } })),
  hear(redirect("2001:db8:9::9", PEER6)),
  hear(echoRequest()),
  hear(echoRequest6()),
  hear(arpFrame()),
  hear(arpReply()),
  hear(arpFrame({ sender: LATE4, target: LATE4 })),
  hear(arpFrame({ sender: "0.0.0.0", target: LATE4 })),
  hear(query()),
  hear(query({ version: 1 })),
  hear(query6()),
  add(`${LATE4}/24`, AddressState.Tentative),
  add(`${LATE4}/24`, AddressState.Preferred),
  add(`${LATE6}/64`, AddressState.Tentative),
  add(`${LATE6}/64`, AddressState.Preferred),
  lend("10.0.0.8/24", seconds(5), seconds(9)),
  lend("2001:db8::88/64", seconds(5), seconds(9)),
  ({ ip }) => ip.addresses.remove(Address.parse(LATE4)),
  ({ ip }) => ip.addresses.remove(Address.parse(LATE6)),
  ({ ip }) => ip.addresses.join(Address.parse(GROUP4)),
  ({ ip }) => ip.addresses.join(Address.parse(GROUP6)),
  ({ ip }) => ip.addresses.leave(Address.parse(GROUP4)),
  ({ ip }) => ip.addresses.leave(Address.parse(GROUP6)),
  lookUp("10.0.0.2"),
  lookUp("10.0.0.3"),
  lookUp(PEER6),
  lookUp("2001:db8::3"),
  ({ autoconf }) => autoconf.announce(),
];

/** Such a host. */
function make(options: number): Made {
  const made = host({
    knowsPeer: false,
    guard: false,
    ip: { addresses: ["10.0.0.1/24", "2001:db8::1/64"], neighbours: { capacity: 8 } },
  });
  const autoconf = new Autoconf(made.ip, {
    mac: Mac.parse(OWN_MAC),
    secret: [1, 2, 3, 4],
    slaac: (options & 1) !== 0,
    temporary: (options & 2) !== 0,
    detectConflicts: (options & 4) !== 0,
    announce: (options & 8) !== 0,
    linkLocal: (options & 16) !== 0,
  });
  return Object.assign(made, { autoconf });
}

/** Makes a host look for what is due, whatever it has said of that: as if its addresses had changed. */
function stir({ ip, autoconf }: Made): void {
  ip.addresses.version++;
  ip.addresses.groupsVersion++;
  autoconf.ndp?.wake();
}

/** When a host says that it wants to be asked. */
export const deadlines = idleTarget({ name: "deadlines", runs: 300, make, kinds: 32, deeds: DEEDS, stir });
