/**
 * A host that is asked only when it says so, and one that is made to look at everything at other times, too, say the same
 * at the same times, whatever comes in and whatever is done to them: or else a deadline is missing, and the first one
 * stalls.
 *
 * @module
 */
import { deepEqual, ok } from "node:assert/strict";
import { AddressState } from "../../../stack/host/addresses.ts";
import { Autoconf } from "../../../stack/ndp/autoconf.ts";
import { type Instant, milliseconds, NEVER, seconds } from "../../../stack/store/time.ts";
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
import { fc } from "../../support/property.ts";
import { HEX } from "../codec.ts";
import { target } from "../target.ts";

/** A host that makes its addresses itself. */
interface Made extends Host {
  readonly autoconf: Autoconf;
}

const LATE4 = "10.0.0.7", LATE6 = "2001:db8::77";
const GROUP4 = "239.1.2.3", GROUP6 = "ff05::1:3";

type Deed = (made: Made, now: Instant) => void;

const hear = (frame: Uint8Array): Deed => (made) => made.deliver(frame);

const add = (cidr: string, state: AddressState): Deed => ({ ip }) => ip.addresses.add(cidr, { state });

const lend = (cidr: string, preferred: Instant, valid: Instant): Deed => ({ ip }, now) => {
  ip.addresses.add(cidr, { preferredUntil: now + preferred, validUntil: now + valid });
};

const lookUp = (address: string): Deed => ({ ip }, now) => {
  ip.neighbours.lookup(Address.parse(address), now, new Mac());
};

/** What happens to a host. */
const DEEDS: readonly Deed[] = [
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

const WAITS: readonly Instant[] = [
  0,
  1,
  milliseconds(100),
  seconds(1),
  seconds(2),
  seconds(7),
  seconds(40),
  seconds(400),
  seconds(8_000),
];

/** When else the busy host is asked, counted from when it was left alone. */
const MOMENTS: readonly Instant[] = [
  1,
  milliseconds(10),
  milliseconds(300),
  milliseconds(600),
  seconds(1),
  seconds(1.5),
  seconds(2),
  seconds(3),
  seconds(5),
  seconds(11),
  seconds(33),
  seconds(100),
  seconds(1_000),
];

/** Such a host; what is of chance is the same for all that are made with the same options. */
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

/** Asks a host until it wants no more for now. */
function ask(made: Host, now: Instant, said: string[]): void {
  for (let turn = 0; turn < 64; turn++) {
    for (const frame of made.at(now).transmit(16)) said.push(`${now} ${frame.toHex()}`);
    if (made.deadline > now) return;
  }
  ok(false, "the host always wants to be asked again at once");
}

/** Makes a host look for what is due, whatever it has said of that: as if its addresses had changed. */
function stir({ ip, autoconf }: Made): void {
  ip.addresses.version++;
  ip.addresses.groupsVersion++;
  autoconf.ndp?.wake();
}

/** Lets time pass from `from` to `to`; `moments`: when the host is stirred besides. */
function pass(made: Made, from: Instant, to: Instant, said: string[], moments: readonly Instant[]): void {
  const others = moments.map((moment) => from + moment);
  for (let now = from; now <= to;) {
    if (others.includes(now)) stir(made);
    ask(made, now, said);
    now = Math.min(made.deadline, others.find((moment) => moment > now) ?? NEVER, to + 1);
  }
  made.at(to);
}

function run(bytes: Uint8Array): void {
  const [options = 0] = bytes;
  const idle = make(options), busy = make(options);
  let now = 0;
  for (let at = 1; at + 2 <= bytes.length; at += 2) {
    const deed = DEEDS[bytes[at]! % DEEDS.length]!, end = now + WAITS[bytes[at + 1]! % WAITS.length]!;
    const said: string[] = [], saidByBusy: string[] = [];
    for (const made of [idle, busy]) {
      made.at(now);
      deed(made, now);
    }
    pass(idle, now, end, said, []);
    pass(busy, now, end, saidByBusy, MOMENTS);
    deepEqual(said, saidByBusy, "a host that is asked at other times, too, says something else");
    now = end;
  }
}

const step = fc.tuple(fc.nat(DEEDS.length - 1), fc.nat(WAITS.length - 1));

const input = fc.tuple(fc.nat(31), fc.array(step, { minLength: 1, maxLength: 20 })).map(
  ([options, steps]) => {
    return Uint8Array.from([options, ...steps.flat()]);
  },
);

/** When a host says that it wants to be asked. */
export const deadlines = target({ name: "deadlines", runs: 300, codec: HEX, input, run });
