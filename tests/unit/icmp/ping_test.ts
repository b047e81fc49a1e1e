import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { Ping, type PingError, type PingOptions, type PingResult } from "../../../stack/icmp/ping.ts";
import { milliseconds, NEVER, seconds } from "../../../stack/store/time.ts";
import { Address } from "../../../stack/wire/address.ts";
import {
  arpReply,
  data,
  echoReply,
  echoRequest,
  ethernet,
  expectFrame,
  icmp,
  ipv4,
  OWN,
  PEER,
  read,
} from "../../support/frames.ts";
import { type Host, host, type HostOptions } from "../../support/host.ts";

interface Client {
  readonly made: Host;
  readonly ping: Ping;
  readonly results: PingResult[];
}

/** A host with a client that pings the peer. */
function client(options: Partial<PingOptions> = {}, hostOptions: HostOptions = {}): Client {
  const results: PingResult[] = [];
  const ping = new Ping({
    destination: Address.parse(PEER),
    identifier: 0x1234,
    onResult: (result) => results.push(result),
    ...options,
  });
  const made = host({
    receive: ({ icmp }) => icmp.recv((packet) => ping.receive(packet)),
    send: ({ icmp }) => icmp.send(ping),
    ...hostOptions,
  });
  return { made, ping, results };
}

/** The peer's answer to a request that has left. */
function answerTo(request: Uint8Array | undefined): Uint8Array {
  const { icmp, payload } = read(request);
  return echoReply({ data: payload, icmp: { identifier: icmp!.identifier, sequence: icmp!.sequence } });
}

/** The numbers of the requests that leave now. */
function sent({ made }: Client): number[] {
  return made.transmit().map((frame) => read(frame).icmp!.sequence);
}

const summary = (results: readonly PingResult[]) => results.map(({ sequence, rtt }) => `${sequence} ${rtt}`);

// The clock of a NIC counts from the machine's start, so it never starts at 0.
const START = seconds(86_400);

Deno.test("ping: one request each interval, from the first time it is asked", () => {
  const pinging = client({ interval: seconds(1), timeout: seconds(9) });
  deepEqual(sent({ ...pinging, made: pinging.made.at(START) }), [1]);
  equal(pinging.made.deadline, START + seconds(1));
  pinging.made.at(START + seconds(1) - 1);
  deepEqual(sent(pinging), []);
  pinging.made.at(START + seconds(1));
  deepEqual(sent(pinging), [2]);
});

Deno.test("ping: asked late, it goes on at its pace, and makes up for nothing", () => {
  const pinging = client({ interval: seconds(1), timeout: seconds(9) });
  pinging.made.at(START);
  sent(pinging);
  pinging.made.at(START + 1_200_000);
  deepEqual(sent(pinging), [2]);
  equal(pinging.made.deadline, START + seconds(2), "a small delay does not add up");
  pinging.made.at(START + seconds(7));
  deepEqual(sent(pinging), [3], "a long one is not followed by a burst");
  equal(pinging.made.deadline, START + seconds(8));
});

Deno.test("ping: an answer gives the round trip, the hop limit and the length", () => {
  const { made, ping, results } = client({ length: 100, count: 1 });
  const [request] = made.at(START).transmit();
  expectFrame(request, {
    ip: { source: OWN, destination: PEER },
    icmp: { type: 8, identifier: 0x1234, sequence: 1 },
  });
  equal(read(request).payload.length, 100);
  equal(ping.done, false);
  made.at(START + 1_234).deliver(answerTo(request));
  deepEqual(results, [{ sequence: 1, rtt: 1_234, hopLimit: 64, length: 100, isDuplicate: false }]);
  deepEqual([ping.transmitted, ping.received, ping.done], [1, 1, true]);
  equal(made.deadline, NEVER);
});

Deno.test("ping: what is none of its answers is left alone", () => {
  const { made, ping, results } = client({ length: 4 });
  const [request] = made.at(START).transmit(1);
  const { payload } = read(request);
  const mine = { identifier: 0x1234, sequence: 1 };
  made.deliver(
    echoReply({ data: payload, icmp: { ...mine, identifier: 0x1235 } }),
    echoReply({ data: payload, icmp: { ...mine, sequence: 2 } }),
    echoReply({ data: payload, icmp: { ...mine, sequence: 0 } }),
    echoReply({ data: payload, icmp: mine, ip: { source: "10.0.0.3" } }),
    echoReply({ data: data(4, 77), icmp: mine }),
    echoReply({ data: payload.slice(1), icmp: mine }),
    echoReply({ data: payload, icmp: { ...mine, checksumError: 1 } }),
    echoReply({ data: payload, icmp: { ...mine, type: 13 } }),
    echoRequest({ data: payload, icmp: mine }),
  );
  deepEqual(results, []);
  made.deliver(answerTo(request));
  equal(ping.received, 1, "the right one still counts");
});

Deno.test("ping: a duplicate answer is told as one, with its own round trip, and counts once", () => {
  const { made, ping, results } = client();
  const [request] = made.at(START).transmit(1);
  made.at(START + 10).deliver(answerTo(request));
  made.at(START + 30).deliver(answerTo(request));
  deepEqual(results.map(({ rtt, isDuplicate }) => [rtt, isDuplicate]), [[10, false], [30, true]]);
  deepEqual([ping.received, ping.duplicates], [1, 1]);
});

Deno.test("ping: an error about a request is told once, and the request is not waited for any more", () => {
  const errors: (readonly [number, string, number, number, number])[] = [];
  const { made, ping, results } = client({
    count: 2,
    interval: 10,
    onError: ({ sequence, from, type, code, mtu }) => errors.push([sequence, `${from}`, type, code, mtu]),
  });
  const [one] = made.at(START).transmit();
  const [two] = made.at(START + 10).transmit();
  const about = (request: Uint8Array, type: number, code: number, sequence = 0) =>
    ethernet(ipv4(icmp(request.slice(14), { type, code, identifier: 0, sequence }), { source: "10.0.0.9" }));
  const other = one!.slice();
  other[14 + 20 + 4]!++;
  made.deliver(about(other, 11, 0), about(one!, 11, 0), about(one!, 11, 0), about(two!, 3, 4, 1_280));
  deepEqual(errors, [[1, "10.0.0.9", 11, 0, 0], [2, "10.0.0.9", 3, 4, 1_280]]);
  deepEqual([ping.errors, ping.received, ping.done], [2, 0, true]);
  deepEqual(results, []);
});

Deno.test("ping: requests make as many hops as asked for", () => {
  const { made } = client({ hopLimit: 3 });
  expectFrame(made.at(START).transmit(1)[0], { ip: { hopLimit: 3 } });
});

Deno.test("ping: without an answer a request is given up at its timeout; a later answer is too late", () => {
  const { made, ping, results } = client({ count: 1, timeout: seconds(2) });
  const [request] = made.at(START).transmit();
  equal(made.deadline, START + seconds(2));
  made.at(START + seconds(2)).deliver(answerTo(request));
  deepEqual(results, [{ sequence: 1, rtt: undefined, hopLimit: undefined, length: 0, isDuplicate: false }]);
  deepEqual([ping.received, ping.done], [0, true]);
  equal(made.deadline, NEVER);
});

Deno.test("ping: a request is given up although nothing is ever received: the deadline sees to it", () => {
  const pinging = client({ count: 3, interval: seconds(1), timeout: seconds(2) });
  let now = START;
  for (let turn = 0; turn < 20 && !pinging.ping.done; turn++) {
    pinging.made.at(now);
    sent(pinging);
    const deadline = pinging.made.deadline;
    if (pinging.ping.done) break;
    ok(deadline > now && deadline < NEVER, "after each turn the deadline lies in the future");
    now = deadline;
  }
  deepEqual(summary(pinging.results), ["1 undefined", "2 undefined", "3 undefined"]);
  equal(now, START + seconds(4));
});

Deno.test("ping: answers may come out of order", () => {
  const { made, ping, results } = client({ interval: 10, count: 3 });
  const requests = [0, 10, 20].flatMap((after) => made.at(START + after).transmit());
  for (const index of [2, 0, 1]) made.at(START + 100).deliver(answerTo(requests[index]));
  deepEqual(summary(results), ["3 80", "1 100", "2 90"]);
  equal(ping.done, true);
});

Deno.test("ping: more than 64 unanswered requests: the oldest is given up for the next", () => {
  const pinging = client({ interval: 1, count: 70, timeout: seconds(9) });
  for (let now = 0; now < 70; now++) pinging.made.at(START + now).transmit(1);
  deepEqual(summary(pinging.results), [1, 2, 3, 4, 5, 6].map((sequence) => `${sequence} undefined`));
  pinging.made.at(START + seconds(60));
  sent(pinging);
  equal(pinging.results.length, 70);
  equal(pinging.ping.done, true);
});

Deno.test("ping: the deadline holds when the oldest was given up and the next is long answered", () => {
  const { made, ping } = client({ interval: 1, count: 65, timeout: seconds(9) });
  const requests = Array.from({ length: 64 }, (_, now) => made.at(START + now).transmit(1)[0]);
  made.deliver(answerTo(requests[1]));
  made.at(START + 64).transmit(1);
  equal(ping.transmitted, 65);
  equal(made.deadline, START + 2 + seconds(9), "number 3 is the oldest that is unanswered");
});

Deno.test("ping: the 16 bits of the sequence number wrap, and the results count on", () => {
  const pinging = client({ interval: 1 });
  for (let now = 0; now < 65_540; now++) {
    const [request] = pinging.made.at(START + now).transmit(1);
    pinging.made.deliver(answerTo(request));
  }
  equal(pinging.ping.received, 65_540);
  equal(pinging.results.at(-1)?.sequence, 65_540);
});

Deno.test("ping: the first request waits for its neighbour, which its round trip counts, as iputils' does", () => {
  const { made, results } = client({}, { knowsPeer: false });
  expectFrame(made.at(START).transmit()[0], { arp: { target: PEER } });
  made.at(START + 300).deliver(arpReply());
  const [request] = made.transmit(1);
  made.at(START + 350).deliver(answerTo(request));
  deepEqual(summary(results), ["1 350"]);
});

Deno.test("ping: requests keep their interval while they wait for the neighbour, and leave together", () => {
  const pinging = client({ interval: milliseconds(100), timeout: seconds(9) }, { knowsPeer: false });
  for (const wait of [0, 100, 200]) pinging.made.at(START + milliseconds(wait)).transmit();
  pinging.made.at(START + milliseconds(250)).deliver(arpReply());
  deepEqual(sent(pinging), [1, 2, 3]);
  equal(pinging.made.deadline, START + milliseconds(300));
});

Deno.test("ping: a neighbour that does not answer is host unreachable, as a router would say (RFC 1122 2.3.2.2)", () => {
  const ip = { addresses: [`${OWN}/24`, "fd00::1/64"] };
  for (const [own, to, type, code] of [[OWN, "10.0.0.9", 3, 1], ["fd00::1", "fd00::9", 1, 3]] as const) {
    const told: unknown[] = [];
    const onError = (error: PingError) =>
      told.push([error.sequence, String(error.from), error.type, error.code]);
    const destination = Address.parse(to);
    const { made, ping } = client({ destination, count: 2, timeout: seconds(9), onError }, { ip });
    for (let wait = 0; wait <= 4; wait++) made.at(START + seconds(wait)).transmit();
    made.transmit();
    deepEqual(told, [[1, own, type, code], [2, own, type, code]]);
    deepEqual([ping.done, ping.errors, made.deadline], [true, 2, NEVER]);
  }
});

Deno.test("ping: a neighbour that never answers loses the requests, and the count still ends", () => {
  const { made, ping, results } = client({ count: 2, interval: seconds(1), timeout: seconds(1) }, {
    knowsPeer: false,
  });
  let now = START;
  for (let turn = 0; turn < 3_000 && !ping.done; turn++) {
    made.at(now).transmit();
    if (ping.done) break;
    const { deadline } = made;
    ok(deadline > now || made.ip.neighbours.deadline() <= now, "each turn gets further");
    now = Math.max(now, deadline);
  }
  equal(ping.done, true);
  deepEqual(summary(results), ["1 undefined", "2 undefined"]);
  equal(ping.received, 0);
});

Deno.test("ping: no count has no end, and none is done at once", () => {
  equal(client({ count: 0 }).ping.done, true);
  const endless = client();
  endless.made.at(START).transmit();
  equal(endless.ping.done, false);
});

Deno.test("ping: an identifier that does not fit 16 bits is refused, since no answer could match it", () => {
  for (const identifier of [-1, 65_536, 1.5]) throws(() => client({ identifier }), RangeError);
});

Deno.test("ping: packets that the host cannot send at all are lost after their timeout", () => {
  const { made, ping, results } = client({ count: 1, length: 70_000 });
  deepEqual(made.at(START).transmit(), []);
  made.at(START + seconds(1)).transmit();
  deepEqual(summary(results), ["1 undefined"]);
  equal(ping.done, true);
});
