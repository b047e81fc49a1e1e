/**
 * What the compiler must refuse: a step that a packet's state does not have, and a handler in the wrong place.
 *
 * Two proofs: conditional types, which fail this file's own type check, and snippets that `deno check` must refuse
 * with the very error that is expected, and one that it must take.
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import type {
  ArpIn,
  ArpOut,
  ArpRaw,
  EthIn,
  EthOut,
  EthRaw,
  IcmpIn,
  IcmpOut,
  IcmpRaw,
  IpIn,
  IpOut,
  IpRaw,
} from "../../mod.ts";

type Has<P, Step extends string> = Step extends keyof P ? true : false;
type Steps<P> = [Has<P, "prepare">, Has<P, "reinit">, Has<P, "deinit">, Has<P, "intoIn">, Has<P, "send">];

type Raw = [true, false, false, false, false];
type In = [false, true, true, false, false];
type Out = [false, false, false, true, true];

/** What a step leads to, failures aside. */
type Next<P, Step extends keyof P> = P[Step] extends (...args: never) => infer Result
  ? Exclude<Result, number>
  : never;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

Deno.test("types: a packet in each state has that state's steps and no others", () => {
  const raw: [Steps<EthRaw>, Steps<ArpRaw>, Steps<IpRaw>, Steps<IcmpRaw>] extends Raw[] ? true : false = true;
  const received: [Steps<EthIn>, Steps<ArpIn>, Steps<IpIn>, Steps<IcmpIn>] extends In[] ? true : false = true;
  const out: [Steps<EthOut>, Steps<ArpOut>, Steps<IpOut>, Steps<IcmpOut>] extends Out[] ? true : false = true;
  equal(raw && received && out, true);
});

Deno.test("types: each step leads to the state that the diagram says, in the same layer", () => {
  const eth: [
    Same<Next<EthRaw, "prepare">, EthOut>,
    Same<Next<EthIn, "reinit">, EthOut>,
    Same<Next<EthIn, "deinit">, EthRaw>,
    Same<Next<EthOut, "intoIn">, EthIn>,
    Same<Next<EthOut, "send">, never>,
  ] = [true, true, true, true, true];
  const ip: [
    Same<Next<IpRaw, "prepare">, IpOut>,
    Same<Next<IpIn, "reinit">, IpOut>,
    Same<Next<IpIn, "deinit">, IpRaw>,
    Same<Next<IpOut, "intoIn">, IpIn>,
  ] = [true, true, true, true];
  const icmp: [
    Same<Next<IcmpRaw, "prepare">, IcmpOut>,
    Same<Next<IcmpIn, "reinit">, IcmpOut>,
    Same<Next<IcmpIn, "deinit">, IcmpRaw>,
    Same<Next<IcmpOut, "intoIn">, IcmpIn>,
  ] = [true, true, true, true];
  const arp: [
    Same<Next<ArpRaw, "prepare">, ArpOut>,
    Same<Next<ArpIn, "reinit">, ArpOut>,
    Same<Next<ArpIn, "deinit">, ArpRaw>,
    Same<Next<ArpOut, "intoIn">, ArpIn>,
  ] = [true, true, true, true];
  deepEqual([eth, ip, icmp, arp].flat().includes(false as never), false);
});

Deno.test("types: a place in the tree takes the handlers of its layer only", () => {
  const states: [
    EthIn extends IpIn ? true : false,
    IpIn extends EthIn ? true : false,
    IpIn extends IcmpIn ? true : false,
    EthRaw extends IpRaw ? true : false,
    EthRaw extends EthOut ? true : false,
    EthIn extends EthRaw ? true : false,
  ] = [false, false, false, false, false, false];
  equal(states.includes(true as never), false);
});

/** A snippet that must not compile: what it does wrong, the code, and the error. */
type Refused = readonly [fault: string, code: string, error: string];

const PRELUDE = `
import { Address, Eth, Icmp, Ip, LayerError, Mac, Ping, External, Loopback, poll } from "MOD";
import type { EthIn, EthInit, EthOut, EthRaw, IcmpIn, IpIn, IpInit, IpOut, IpRaw, Receiver, Slot } from "MOD";
declare const eth: Eth, ip: Ip, icmp: Icmp, nic: External, slot: Slot;
declare const ethIn: EthIn, ethRaw: EthRaw, ethOut: EthOut, ipIn: IpIn, ipRaw: IpRaw, ipOut: IpOut;
declare const ethInit: EthInit, ipInit: IpInit;
`;

const REFUSED: readonly Refused[] = [
  ["sends what is raw", "ethRaw.send();", "TS2339"],
  ["sends what was received", "ipIn.send();", "TS2339"],
  ["prepares what is prepared", "ethOut.prepare(ethInit);", "TS2339"],
  ["prepares what was received", "ipIn.prepare(ipInit);", "TS2339"],
  ["turns what is prepared into an answer", "ipOut.reinit(ipInit);", "TS2339"],
  ["gives back what is raw", "ethRaw.deinit();", "TS2339"],
  ["gives back what is prepared", "ipOut.deinit();", "TS2339"],
  ["takes what is raw as received", "ipRaw.intoIn();", "TS2339"],
  ["sends without a look whether prepare was refused", "ipRaw.prepare(ipInit).send();", "TS2339"],
  ["takes a refusal for a packet", "const out: IpOut = ipIn.reinit(ipInit);", "TS2322"],
  [
    "hands IP's packets to a handler of ICMP's",
    "ip.recv((packet: IcmpIn) => void packet.type);",
    "TS2769|TS2345",
  ],
  [
    "hands Ethernet's packets to a handler of IP's",
    "eth.recv((packet: IpIn) => void packet.source);",
    "TS2345",
  ],
  ["puts ICMP right above Ethernet", "eth.recv(icmp.answer());", "TS2345"],
  ["puts Ethernet above IP", "ip.recv(eth.recv(() => {}));", "TS2345"],
  ["puts IP's sender above ICMP's", "icmp.send(ip.send(() => {}));", "TS2345"],
  ["hands a NIC IP's receiver", "nic.rx(1, ip.recv(() => {}));", "TS2345"],
  ["hands a NIC a plain function", "nic.rx(1, (slot: Slot) => void slot.queue());", "TS2345"],
  ["hands a NIC a receiver to send with", "nic.tx(1, eth.recv(() => {}));", "TS2345"],
  [
    "drives a NIC with a sender that has no deadline",
    "poll(nic, { receive: eth.recv(() => {}), send: { send: () => {} } });",
    "TS2741",
  ],
  ["changes a packet's place", "ipIn.payloadAt = 0;", "TS2540"],
  ["changes a received address for another object", "ipIn.source = new Address();", "TS2540"],
  [
    "prepares without a destination",
    "ipRaw.prepare({ source: new Address(), protocol: 1, length: 0 });",
    "TS2345",
  ],
];

const TAKEN = `
const ping = new Ping({ destination: new Address(), identifier: 1, onResult: () => {} });
const receive = eth.recv(ip.recv(icmp.recv((packet) => ping.receive(packet))));
const send = eth.send(ip.send(icmp.send(ping)));
nic.rx(64, receive);
nic.tx(64, send);
eth.recv((packet) => {
  const out = packet.reinit(ethInit);
  if (typeof out === "number") return;
  const again = out.intoIn().deinit().prepare(ethInit);
  if (typeof again === "number") return;
  const error: LayerError = again.send();
  if (error !== LayerError.None) throw new Error();
});
const object: Receiver<IpIn> = { receive: (packet: IpIn) => void packet.link };
new Loopback().rx(1, eth.recv(ip.recv(object)));
eth.send((packet) => void packet.prepare({ destination: new Mac(), etherType: 1, length: 1 }));
void [slot, ethRaw, ethOut, ethIn, ipRaw, ipOut, ipIn, ipInit];
`;

Deno.test("types: the compiler refuses each wrong step and each wrong tree, and takes the right ones", async () => {
  const root = new URL("../../", import.meta.url);
  const folder = await Deno.makeTempDir({ prefix: "ethox-types-" });
  try {
    const prelude = PRELUDE.replaceAll("MOD", new URL("mod.ts", root).href);
    const files = [["taken", TAKEN], ...REFUSED.map(([, code], index) => [`refused-${index}`, code])];
    for (const [name, code] of files) await Deno.writeTextFile(`${folder}/${name}.ts`, prelude + code);
    const { stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "check",
        "--config",
        new URL("deno.json", root).pathname,
        "--no-lock",
        ...files.map(([name]) => `${folder}/${name}.ts`),
      ],
      env: { NO_COLOR: "1" },
      stdout: "null",
      stderr: "piped",
    }).output();
    const errors = errorsByFile(new TextDecoder().decode(stderr));
    deepEqual(errors.get("taken") ?? [], [], "what is right compiles");
    REFUSED.forEach(([fault, , expected], index) => {
      const found = errors.get(`refused-${index}`) ?? [];
      equal(
        found.length === 1 && expected.split("|").includes(found[0]!),
        true,
        `${fault}: ${found.join() || "compiles"}`,
      );
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** The codes of a check's errors by the name of the file; each error's message ends with where it is. */
function errorsByFile(report: string): Map<string, string[]> {
  const errors = new Map<string, string[]>();
  for (
    const [, code, , file] of report.matchAll(
      /^(TS\d+) \[ERROR\]:([\s\S]*?)^ +at \S*\/([\w-]+)\.ts:\d+:\d+/gm,
    )
  ) {
    errors.set(file!, [...errors.get(file!) ?? [], code!]);
  }
  return errors;
}
