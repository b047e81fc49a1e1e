import { deepEqual, equal, ok } from "node:assert/strict";
import { EPHEMERAL_COUNT, EPHEMERAL_FIRST } from "../../../stack/host/ephemeral.ts";
import { EphemeralPorts } from "../../../stack/tcp/ports.ts";
import type { SipKey } from "../../../stack/store/siphash.ts";
import { Address } from "../../../stack/wire/address.ts";

const SECRET: SipKey = [1, -2, 3, -4];
const tuple = (host: number, remotePort = 80) => ({
  local: new Address().setV4(0x0a000001),
  localPort: 0,
  remote: new Address().setV4(host),
  remotePort,
});
const always = () => true;

Deno.test("ports: what one peer sees does not tell which port the next one gets (RFC 6056 3.3.3)", () => {
  const ports = new EphemeralPorts(SECRET);
  const steps = new Set<number>();
  let last = 0;
  for (let host = 1; host <= 100; host++) {
    const port = ports.take(tuple(host), always)!;
    ok(port >= EPHEMERAL_FIRST && port <= 0xffff);
    steps.add(port - last);
    last = port;
  }
  ok(steps.size > 90, `${steps.size} different steps`);
  const other = new EphemeralPorts([1, -2, 4, -4]);
  ok(ports.take(tuple(1), always) !== other.take(tuple(1), always), "the place depends on the secret");
});

Deno.test("ports: one peer's connections have all ports before one comes again (RFC 6056 3.3.3)", () => {
  const ports = new EphemeralPorts(SECRET);
  const seen = new Set<number>();
  for (let count = 0; count < EPHEMERAL_COUNT; count++) seen.add(ports.take(tuple(1), always)!);
  equal(seen.size, EPHEMERAL_COUNT);
});

Deno.test("ports: the one that is free is found, and none where none is", () => {
  const ports = new EphemeralPorts(SECRET);
  equal(ports.take(tuple(1), (port) => port === 50_000), 50_000);
  equal(ports.take(tuple(1), () => false), undefined);
  const asked: number[] = [];
  ports.take(tuple(1), (port) => asked.push(port) === 3);
  deepEqual(asked.map((port) => (port - asked[0]! + EPHEMERAL_COUNT) % EPHEMERAL_COUNT), [0, 1, 2]);
});
