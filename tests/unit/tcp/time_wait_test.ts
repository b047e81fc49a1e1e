import assert from "node:assert/strict";
import { NEVER, seconds } from "../../../stack/store/time.ts";
import { TIME_WAIT, TimeWait, TimeWaitAnswer as Answer, type Waiting } from "../../../stack/tcp/time-wait.ts";
import { Address } from "../../../stack/wire/address.ts";
import { Flag } from "../../../stack/wire/tcp.ts";
import { check, fc } from "../../support/property.ts";

const SECRET = [1, 2, 3, 4] as const;

function connection(port: number, change: Partial<Waiting> = {}): Waiting {
  return {
    local: new Address().setV4(0x0a000001),
    localPort: 80,
    remote: new Address().setV4(0x0a000002),
    remotePort: port,
    sndNxt: 5_000,
    rcvNxt: 9_000,
    hasTimestamps: true,
    tsRecent: 700,
    tsRecentAt: 0,
    tsOffset: 33,
    ...change,
  };
}

function find(table: TimeWait, c: Waiting): number {
  return table.find(c.local, c.localPort, c.remote, c.remotePort);
}

/** A table with one entry, and what it answers to a segment. */
function answer(
  flags: number,
  sequence: number,
  { length = 0, time = 701, now = 0, change = {} }: {
    length?: number;
    /** The timestamp; 0: none. */
    time?: number;
    now?: number;
    change?: Partial<Waiting>;
  } = {},
): { answer: Answer; table: TimeWait } {
  const table = new TimeWait(4, SECRET);
  const c = connection(1, change);
  table.add(c, 10_000, 0);
  const options = { hasTimestamp: time !== 0, tsValue: time };
  return { answer: table.receive(find(table, c), { flags, sequence, length }, options, now), table };
}

Deno.test("time-wait: an entry is found by its tuple, with what it needs to answer", () => {
  const table = new TimeWait(4, SECRET);
  table.add(connection(1), 10_000, 0);
  table.add(connection(2, { sndNxt: 6_000, rcvNxt: -1, hasTimestamps: false }), 0, 0);
  const one = find(table, connection(1)), two = find(table, connection(2));
  assert.equal(find(table, connection(3)), -1);
  assert.deepEqual(
    [table.sndNxt(one), table.rcvNxt(one), table.rcvWnd(one), table.tsRecent(one), table.tsOffset(one)],
    [5_000, 9_000, 10_000, 700, 33],
  );
  assert.deepEqual([table.sndNxt(two), table.rcvNxt(two), table.rcvWnd(two)], [6_000, -1, 0]);
  assert.ok(table.hasTimestamps(one) && !table.hasTimestamps(two));
});

Deno.test("time-wait: it lasts for 2 MSL (RFC 9293 3.10.7.4)", () => {
  const table = new TimeWait(4, SECRET);
  assert.equal(table.deadline(), NEVER);
  table.add(connection(1), 0, seconds(5));
  table.add(connection(2), 0, seconds(6));
  assert.equal(table.deadline(), seconds(5) + TIME_WAIT);
  table.advance({ now: seconds(5) + TIME_WAIT - 1 });
  assert.equal(table.size, 2);
  table.advance({ now: seconds(5) + TIME_WAIT });
  assert.equal(table.size, 1);
  assert.equal(find(table, connection(1)), -1);
  table.advance({ now: seconds(500) });
  assert.equal(table.size, 0);
});

Deno.test("time-wait: a reset does not end it (RFC 1337 3)", () => {
  const { answer: said, table } = answer(Flag.Rst, 9_000);
  assert.equal(said, Answer.None);
  assert.equal(answer(Flag.Rst | Flag.Ack, 9_000).answer, Answer.None);
  assert.equal(table.size, 1);
});

Deno.test("time-wait: the peer's FIN once more is acknowledged and starts 2 MSL anew (RFC 9293 3.10.7.4)", () => {
  const { answer: said, table } = answer(Flag.Fin | Flag.Ack, 8_999, { now: seconds(30) });
  assert.equal(said, Answer.Ack);
  assert.equal(table.deadline(), seconds(30) + TIME_WAIT);
  assert.equal(table.tsRecent(0), 701);
  const { answer: withData } = answer(Flag.Fin | Flag.Ack, 8_899, { length: 100 });
  assert.equal(withData, Answer.Ack);
  const other = answer(Flag.Fin | Flag.Ack, 8_998, { now: seconds(30) });
  assert.equal(other.answer, Answer.Challenge);
  assert.equal(other.table.deadline(), TIME_WAIT);
});

Deno.test("time-wait: a fresh FIN goes to the end of the line", () => {
  const table = new TimeWait(2, SECRET);
  table.add(connection(1), 0, 0);
  table.add(connection(2), 0, 1);
  const fin = { flags: Flag.Fin | Flag.Ack, sequence: 8_999, length: 0 };
  table.receive(find(table, connection(1)), fin, { hasTimestamp: true, tsValue: 700 }, 2);
  table.add(connection(3), 0, 3);
  assert.equal(find(table, connection(2)), -1, "the oldest ends early when the table is full");
  assert.ok(find(table, connection(1)) >= 0 && find(table, connection(3)) >= 0);
});

Deno.test("time-wait: an acknowledgment where it is expected is not answered, anything else with a limit (RFC 5961 7)", () => {
  assert.equal(answer(Flag.Ack, 9_000).answer, Answer.None);
  assert.equal(answer(Flag.Ack, 18_999).answer, Answer.None);
  assert.equal(answer(Flag.Ack, 19_000).answer, Answer.Challenge);
  assert.equal(answer(Flag.Ack, 8_000).answer, Answer.Challenge);
  assert.equal(answer(Flag.Ack, 9_000, { length: 1 }).answer, Answer.Challenge);
  assert.equal(answer(Flag.Ack, 9_000, { time: 699 }).answer, Answer.Challenge, "PAWS (RFC 7323 5.3)");
  assert.equal(answer(0, 9_000).answer, Answer.None, "no ACK, no answer");
  assert.equal(answer(Flag.Syn | Flag.Ack, 20_000).answer, Answer.Challenge);
});

Deno.test("time-wait: a SYN that is newer by its timestamp begins anew (RFC 6191 2)", () => {
  const { answer: said, table } = answer(Flag.Syn, 100, { time: 701 });
  assert.equal(said, Answer.Reuse);
  assert.equal(table.size, 0);
  assert.ok(((table.leastSequence - 5_000) | 0) > 65_535, "behind all that the old one may have sent");
  assert.equal(answer(Flag.Syn, 20_000, { time: 699 }).answer, Answer.Challenge);
  const wrapped = { tsRecent: 0x7fffffff };
  assert.equal(answer(Flag.Syn, 100, { time: -0x80000000, change: wrapped }).answer, Answer.Reuse);
});

Deno.test("time-wait: without a newer timestamp its sequence number decides (RFC 6191 2)", () => {
  assert.equal(answer(Flag.Syn, 9_001, { time: 700 }).answer, Answer.Reuse);
  assert.equal(answer(Flag.Syn, 9_000, { time: 700 }).answer, Answer.Challenge);
  assert.equal(answer(Flag.Syn, 9_001, { time: 0 }).answer, Answer.Reuse);
  assert.equal(answer(Flag.Syn, 8_999, { time: 0 }).answer, Answer.Challenge);
  const without = { change: { hasTimestamps: false } };
  assert.equal(answer(Flag.Syn, 8_999, { time: 5, ...without }).answer, Answer.Reuse, "PAWS will protect it");
  assert.equal(answer(Flag.Syn, 8_999, { time: 0, ...without }).answer, Answer.Challenge);
  assert.equal(answer(Flag.Syn, 9_001, { time: 0, ...without }).answer, Answer.Reuse);
});

Deno.test("time-wait: an entry past its time is as if it had never been there", () => {
  const { answer: said, table } = answer(Flag.Ack, 9_000, { now: TIME_WAIT });
  assert.equal(said, Answer.Reuse);
  assert.equal(table.size, 0);
});

Deno.test("time-wait: agrees with a list, whatever is added, ended and found", () => {
  const step = fc.tuple(fc.nat(3), fc.nat(12), fc.nat(seconds(20)));
  check(fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
    const table = new TimeWait(5, SECRET);
    let model: { port: number; expires: number; sndNxt: number }[] = [];
    let now = 0;
    steps.forEach(([kind, port, wait], sndNxt) => {
      now += wait;
      if (kind <= 1) {
        table.add(connection(port, { sndNxt }), 0, now);
        model = model.filter((each) => each.port !== port);
        if (model.length === 5) model.shift();
        model.push({ port, expires: now + TIME_WAIT, sndNxt });
      } else if (kind === 2) {
        table.advance({ now: now });
        model = model.filter((each) => each.expires > now);
      } else {
        const entry = find(table, connection(port));
        if (entry >= 0) table.remove(entry);
        model = model.filter((each) => each.port !== port);
      }
      assert.equal(table.size, model.length);
      assert.equal(table.deadline(), model[0]?.expires ?? NEVER);
      for (let each = 0; each <= 12; each++) {
        const entry = find(table, connection(each));
        const expected = model.find((other) => other.port === each);
        assert.equal(entry >= 0 ? table.sndNxt(entry) : undefined, expected?.sndNxt);
      }
    });
  }));
});
