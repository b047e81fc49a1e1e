/**
 * Scripts about connecting and listening.
 *
 * @module
 */
import { closedPort } from "./ends.ts";
import { did, named, type Script, type Scripts, type Side, soon, told, toldSoon, zeros } from "./side.ts";

/** What becomes of an attempt to connect. */
function attempt({ sockets }: Side, options: Record<string, unknown>): Promise<unknown> {
  return did(async () => (await sockets.connect(options)).close());
}

const refused: Script = async (side) => ({
  refused: await attempt(side, { hostname: side.peer, port: closedPort(side.peer) }),
  noRoute: await attempt(side, { hostname: "192.0.2.1", port: 80 }),
  broadcast: await attempt(side, { hostname: "255.255.255.255", port: 80 }),
  group: await attempt(side, { hostname: "224.0.0.1", port: 80 }),
  zero: await attempt(side, { hostname: side.peer, port: 0 }),
  large: await attempt(side, { hostname: side.peer, port: 70_000 }),
  negative: await attempt(side, { hostname: side.peer, port: -1 }),
});

const abortedBefore: Script = async (side) => {
  const to = { hostname: side.peer, port: closedPort(side.peer) };
  return {
    plain: await attempt(side, { ...to, signal: AbortSignal.abort() }),
    reason: await attempt(side, { ...to, signal: AbortSignal.abort("why") }),
  };
};

const abortedMeanwhile = (reason: unknown): Script => async (side) => {
  using listener = Deno.listen({ hostname: side.peer, port: 0 });
  const abort = new AbortController();
  const { signal } = abort;
  const connecting = attempt(side, { hostname: side.peer, port: listener.addr.port, signal });
  abort.abort(reason);
  return { connecting: await connecting };
};

const abortedAfter: Script = async (side) => {
  using listener = Deno.listen({ hostname: side.peer, port: 0 });
  const abort = new AbortController();
  const { signal } = abort;
  const connecting = side.sockets.connect({ hostname: side.peer, port: listener.addr.port, signal });
  const [conn, end] = await Promise.all([connecting, listener.accept()]);
  const reading = told(conn.read(zeros(1)));
  abort.abort();
  const seen = {
    write: await told(conn.write(zeros(1))),
    peer: await told(end.read(zeros(1))),
    reading: await toldSoon(reading),
    close: await did(() => conn.close()),
  };
  end.close();
  return seen;
};

const closedWhileAccepting: Script = async ({ sockets, own }) => {
  const listener = sockets.listen({ hostname: own, port: 0 });
  const accepting = told(listener.accept());
  await soon();
  listener.close();
  return {
    accepting: await accepting,
    later: await told(() => listener.accept()),
    close: await did(() => listener.close()),
    dispose: await did(() => listener[Symbol.dispose]()),
    ref: [await did(() => listener.ref()), await did(() => listener.unref())],
    next: await told(listener[Symbol.asyncIterator]().next()),
    address: Object.keys(listener.addr).sort(),
  };
};

const twoAccepts: Script = async ({ sockets, own }) => {
  const listener = sockets.listen({ hostname: own, port: 0 });
  const accepting = [told(listener.accept()), told(listener.accept())];
  await soon();
  listener.close();
  return { accepting: await Promise.all(accepting) };
};

const iteration: Script = async ({ sockets, own }) => {
  const listener = sockets.listen({ hostname: own, port: 0 });
  const iterator = listener[Symbol.asyncIterator]();
  const next = told(iterator.next());
  await soon();
  listener.close();
  return {
    next: await next,
    again: await told(iterator.next()),
    itself: iterator[Symbol.asyncIterator]() === iterator,
    throw: typeof iterator.throw,
  };
};

const leavingTheLoop: Script = async ({ sockets, own }) => {
  const listener = sockets.listen({ hostname: own, port: 0 });
  const { port } = listener.addr;
  using client = await Deno.connect({ hostname: own, port });
  for await (const conn of listener) {
    conn.close();
    break;
  }
  return {
    client: await told(client.read(zeros(1))),
    close: await did(() => listener.close()),
    accept: await told(() => listener.accept()),
    connect: await told(Deno.connect({ hostname: own, port })),
  };
};

const goneBeforeAccept: Script = async ({ sockets, own }) => {
  using listener = sockets.listen({ hostname: own, port: 0 });
  const client = await Deno.connect({ hostname: own, port: listener.addr.port });
  await client.write(zeros(1));
  client.close();
  await soon();
  using conn = await listener.accept();
  return { read: [await told(conn.read(zeros(9))), await told(conn.read(zeros(1)))] };
};

const closedUnaccepted: Script = async ({ sockets, own }) => {
  const listener = sockets.listen({ hostname: own, port: 0 });
  using client = await Deno.connect({ hostname: own, port: listener.addr.port });
  await soon();
  listener.close();
  return { client: await told(client.read(zeros(1))) };
};

const addresses: Script = ({ sockets, own }) => {
  const listen = (options: Record<string, unknown>) => {
    try {
      using listener = sockets.listen(options);
      const { hostname, port, transport } = listener.addr;
      return [hostname, typeof port, transport];
    } catch (error) {
      return named(error);
    }
  };
  using listener = sockets.listen({ hostname: own, port: 0 });
  const { port } = listener.addr;
  return Promise.resolve({
    every: listen({ port: 0 }),
    v6: listen({ hostname: "::", port: 0 }),
    twice: listen({ hostname: own, port }),
    besideEvery: listen({ hostname: "0.0.0.0", port }),
    anothers: listen({ hostname: "192.0.2.1", port: 0 }),
    large: listen({ port: 70_000 }),
    negative: listen({ port: -1 }),
  });
};

const sameAgain: Script = async ({ sockets, own }) => {
  const listener = sockets.listen({ hostname: own, port: 0 });
  const { port } = listener.addr;
  using client = await Deno.connect({ hostname: own, port });
  const conn = await listener.accept();
  conn.close();
  listener.close();
  return {
    client: await told(client.read(zeros(1))),
    again: await did(() => sockets.listen({ hostname: own, port }).close()),
  };
};

/** All of them. */
export const OPENING: Scripts = {
  "connecting in vain": refused,
  "connect, given up before": abortedBefore,
  "connect, given up at once": abortedMeanwhile(undefined),
  "connect, given up for a reason": abortedMeanwhile(new TypeError("why")),
  "connect, its signal afterwards": abortedAfter,
  "a listener closed while it accepts": closedWhileAccepting,
  "a listener closed while it accepts twice": twoAccepts,
  "a listener closed while it is iterated": iteration,
  "a listener's loop is left": leavingTheLoop,
  "a client gone before it is accepted": goneBeforeAccept,
  "a listener closed before it accepts": closedUnaccepted,
  "a listener's addresses": addresses,
  "a listener's port at once again": sameAgain,
};
