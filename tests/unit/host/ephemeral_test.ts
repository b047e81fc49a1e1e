import { equal, notDeepEqual, ok } from "node:assert/strict";
import { EPHEMERAL_COUNT, EPHEMERAL_FIRST, RandomPorts } from "../../../stack/host/ephemeral.ts";
import type { SipKey } from "../../../stack/store/siphash.ts";
import { Udp } from "../../../stack/udp/endpoint.ts";

const SECRET: SipKey = [1, -2, 3, -4];

/** The ports of a hundred sockets, opened one after the other. */
function portsOf(secret: SipKey): number[] {
  const udp = new Udp({ secret });
  return Array.from({ length: 100 }, () => udp.bind({}, () => {})!.port);
}

Deno.test("udp: the ports of sockets so far do not tell which port the next one gets (RFC 6056 3.3.1)", () => {
  const ports = portsOf(SECRET);
  equal(new Set(ports).size, 100);
  for (const port of ports) ok(port >= EPHEMERAL_FIRST && port <= 0xffff, `${port}`);
  const steps = new Set(ports.map((port, index) => port - (ports[index - 1] ?? 0)));
  ok(steps.size > 90, `${steps.size} different steps`);
  notDeepEqual(portsOf([1, -2, 4, -4]), ports, "they depend on the secret");
});

Deno.test("ports: a free one is found among all others, and none where there is none (RFC 6056 3.3.1)", () => {
  const ports = new RandomPorts(SECRET);
  const taken = new Set<number>();
  const take = () => {
    const port = ports.take((one) => !taken.has(one));
    if (port !== undefined) taken.add(port);
    return port;
  };
  for (let count = 0; count < EPHEMERAL_COUNT; count++) take();
  equal(taken.size, EPHEMERAL_COUNT);
  equal(take(), undefined);
});
