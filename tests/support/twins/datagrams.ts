/**
 * Scripts about datagrams.
 *
 * @module
 */
import {
  type Datagrams,
  did,
  named,
  type Script,
  type Scripts,
  soon,
  told,
  toldSoon,
  zeros,
} from "./side.ts";

/** A socket of the kernel's. */
const kernel = (hostname: string) => Deno.listenDatagram({ transport: "udp", hostname, port: 0 });

/** How long the next datagram is. */
const next = (socket: Deno.DatagramConn) => told(async () => (await socket.receive())[0].length);

const usedAfterClose: Script = async ({ sockets, own, peer }) => {
  const socket = sockets.listenDatagram({ hostname: own, port: 0 });
  socket.close();
  return {
    send: await told(() => socket.send(zeros(1), { transport: "udp", hostname: peer, port: 9 })),
    receive: await told(() => socket.receive()),
    close: await did(() => socket.close()),
    next: await told(socket[Symbol.asyncIterator]().next()),
    join: await told(() => socket.joinMulticastV4("224.0.0.9", "0.0.0.0")),
    ref: [await did(() => socket.ref()), await did(() => socket.unref())],
    address: Object.keys(socket.addr).sort(),
  };
};

const closedWhileReceiving: Script = async ({ sockets, own }) => {
  const socket = sockets.listenDatagram({ hostname: own, port: 0 });
  const receiving = next(socket);
  await soon();
  socket.close();
  return { receiving: await receiving };
};

const closedWhileIterated: Script = async ({ sockets, own, peer }) => {
  const socket = sockets.listenDatagram({ hostname: own, port: 0 }), other = kernel(peer);
  const lengths: number[] = [];
  const loop = did(async () => {
    for await (const [bytes] of socket) lengths.push(bytes.length);
  });
  for (const length of [3, 0]) await other.send(zeros(length), socket.addr);
  await soon();
  socket.close();
  other.close();
  return { loop: await loop, lengths };
};

const leavingTheLoop: Script = async ({ sockets, own, peer }) => {
  const socket = sockets.listenDatagram({ hostname: own, port: 0 }), other = kernel(peer);
  for (const length of [3, 4]) await other.send(zeros(length), socket.addr);
  for await (const _ of socket) break;
  const seen = { next: await next(socket), close: await did(() => socket.close()) };
  other.close();
  return seen;
};

const buffers: Script = async ({ sockets, own, peer }) => {
  const socket = sockets.listenDatagram({ hostname: own, port: 0 }), other = kernel(peer);
  const into = async (length: number, buffer?: Uint8Array) => {
    await other.send(zeros(length), socket.addr);
    const [bytes] = await socket.receive(buffer);
    return [bytes.length, bytes.buffer === buffer?.buffer];
  };
  const seen = {
    small: [await into(10, zeros(4)), await into(2, zeros(4))],
    none: [await into(5, zeros(0)), await into(0, zeros(4))],
    own: [await into(60_000), await into(0)],
  };
  socket.close();
  other.close();
  return seen;
};

const sending: Script = async ({ sockets, own, peer }) => {
  const socket = sockets.listenDatagram({ hostname: own, port: 0 });
  const other = kernel(peer), gone = kernel(peer);
  const { addr: to } = other;
  gone.close();
  const send = (bytes: unknown, change: Record<string, unknown> = {}) =>
    told(() => socket.send(bytes as Uint8Array, { ...to, ...change } as Deno.Addr));
  const seen = {
    empty: [await send(zeros(0)), await next(other)],
    tooLong: await send(zeros(65_508)),
    text: await send("text"),
    nobody: [await send(zeros(1), gone.addr as Deno.NetAddr & Record<string, unknown>), await send(zeros(2))],
    noRoute: await send(zeros(1), { hostname: "192.0.2.1" }),
    broadcast: await send(zeros(1), { hostname: "255.255.255.255" }),
    receive: await toldSoon(next(socket), 100),
  };
  socket.close();
  other.close();
  return seen;
};

const addresses: Script = ({ sockets, own }) => {
  const open = (options: Record<string, unknown>) => {
    let socket: Datagrams | undefined;
    try {
      socket = sockets.listenDatagram(options);
      const { hostname, port, transport } = socket.addr as Deno.NetAddr;
      return [hostname === own ? "own" : hostname, typeof port, transport];
    } catch (error) {
      return named(error);
    } finally {
      socket?.close();
    }
  };
  const socket = sockets.listenDatagram({ hostname: own, port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  const seen = {
    own: open({ hostname: own, port: 0 }),
    every: open({ hostname: "0.0.0.0", port: 0 }),
    twice: open({ hostname: own, port }),
    besideEvery: open({ hostname: "0.0.0.0", port }),
    anothers: open({ hostname: "192.0.2.1", port: 0 }),
    group: open({ hostname: "224.0.0.9", port: 0 }),
    large: open({ hostname: own, port: 70_000 }),
  };
  socket.close();
  return Promise.resolve(seen);
};

const groups: Script = async ({ sockets, own }) => {
  const socket = sockets.listenDatagram({ hostname: "0.0.0.0", port: 0 });
  const join = (group: string, by: string) => did(async () => void await socket.joinMulticastV4(group, by));
  const joined = await socket.joinMulticastV4("224.0.0.9", own);
  const left = await socket.joinMulticastV4("224.0.0.10", own);
  return {
    loopback: await did(() => joined.setLoopback(true)),
    ttl: await did(() => joined.setTTL(3)),
    twice: await join("224.0.0.9", own),
    noGroup: await join("10.9.9.9", own) !== "done",
    noOwn: await join("224.0.0.11", "192.0.2.7") !== "done",
    leave: [await did(() => left.leave()), await did(() => left.leave())],
    close: await did(() => socket.close()),
    after: [
      await did(() => joined.leave()),
      await did(() => joined.setLoopback(false)),
      await did(() => joined.setTTL(1)),
    ],
  };
};

/** All of them. */
export const DATAGRAMS: Scripts = {
  "a datagram socket used after close": usedAfterClose,
  "a datagram socket closed while it receives": closedWhileReceiving,
  "a datagram socket closed while it is iterated": closedWhileIterated,
  "a datagram socket's loop is left": leavingTheLoop,
  "datagrams and buffers": buffers,
  "datagrams sent": sending,
  "a datagram socket's addresses": addresses,
  "groups": groups,
};
