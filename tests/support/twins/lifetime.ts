/**
 * What keeps a program running, of Deno's sockets and of a stack's: `deno run -A --no-check --unstable-net
 * tests/support/twins/lifetime.ts deno|stack NAME` opens something, leaves it, and says "holds" if it does not end by itself.
 *
 * @module
 */
import net from "node:net";
import { link, Stack } from "../../../mod.ts";
import type { Handler, Sockets } from "./side.ts";

/** Both ends are in the program, since a cable in memory does not leave it. The far one is unref'd wherever it is. */
interface Ends {
  readonly near: Sockets;
  readonly far: Sockets;
  /** The near one's address, and the far one's. */
  readonly own: string;
  readonly peer: string;
  readonly net: NodeNet;
}

/** What both have of node:net. */
type NodeNet = Pick<typeof net, "createServer" | "connect">;

/** Opens something. What it starts and does not wait for is under way when it leaves. */
type Opening = (ends: Ends) => Promise<unknown> | unknown;

/** How long a program that ends by itself may take for it, once everything is open. */
const PATIENCE = 700;

const byte = () => new Uint8Array(1);

function listening({ near, own }: Ends) {
  return near.listen({ hostname: own, port: 0 });
}

/** A connection that the near end has opened. The far one neither reads nor holds. */
async function connected({ near, far, peer }: Ends): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  const listener = far.listen({ hostname: peer, port: 0 });
  const { port } = listener.addr;
  const [conn, end] = await Promise.all([near.connect({ hostname: peer, port }), listener.accept()]);
  listener.unref();
  end.unref();
  return [conn, end];
}

/** Writes for ever, though the peer does not read. */
async function writeOn(conn: Deno.TcpConn): Promise<void> {
  for (;;) await conn.write(new Uint8Array(1 << 20));
}

function datagrams({ near, own }: Ends) {
  return near.listenDatagram({ hostname: own, port: 0 });
}

function serving({ near, own }: Ends, handler: Handler = () => new Response()) {
  return near.serve({ hostname: own, port: 0, onListen: () => {} }, handler);
}

/** A connection to the server that waits for its next request. */
async function keptAlive(ends: Ends, port: number): Promise<void> {
  const end = await ends.far.connect({ hostname: ends.own, port });
  await end.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  await end.read(new Uint8Array(999));
  end.unref();
}

async function nodeServer({ net, own }: Ends, onConnection?: (socket: net.Socket) => void) {
  const server = net.createServer(onConnection);
  await new Promise<void>((resolve) => void server.listen(0, own, resolve));
  return server;
}

/** A connection of node:net, opened by the near end. */
async function nodeSocket({ net, far, peer }: Ends): Promise<[net.Socket, Deno.TcpConn]> {
  const listener = far.listen({ hostname: peer, port: 0 });
  const socket = net.connect(listener.addr.port, peer);
  const [end] = await Promise.all([
    listener.accept(),
    new Promise<void>((resolve) => void socket.once("connect", resolve)),
  ]);
  listener.unref();
  end.unref();
  return [socket, end];
}

/** Waits for something of what is open, and lets the program end in spite of it, or not, in this order. */
function inOrder<T extends { ref(): unknown; unref(): unknown }>(
  open: T,
  wait: (open: T) => unknown,
  ...order: readonly ("wait" | "unref" | "ref")[]
): void {
  for (const step of order) {
    if (step === "wait") void wait(open);
    else open[step]();
  }
}

const accept = (listener: Deno.TcpListener) => listener.accept();
const receive = (socket: Deno.DatagramConn & { ref(): void; unref(): void }) => socket.receive();

/** What is opened, by what it is. */
export const OPENINGS: Readonly<Record<string, Opening>> = {
  "a listener": (ends) => void listening(ends),
  "a listener that accepts": (ends) => void listening(ends).accept(),
  "a listener that accepts, unref'd": (ends) => inOrder(listening(ends), accept, "wait", "unref"),
  "an unref'd listener that accepts": (ends) => inOrder(listening(ends), accept, "unref", "wait"),
  "a listener that accepts, unref'd and ref'd": (ends) => {
    inOrder(listening(ends), accept, "unref", "wait", "ref");
  },
  "a listener that has accepted": async (ends) => {
    const listener = listening(ends);
    const { port } = listener.addr;
    await Promise.all([listener.accept(), ends.far.connect({ hostname: ends.own, port })]);
  },
  "a listener that is iterated": (ends) => void listening(ends)[Symbol.asyncIterator]().next(),
  "a listener with a connection that nobody accepts": async (ends) => {
    const listener = listening(ends);
    const end = await ends.far.connect({ hostname: ends.own, port: listener.addr.port });
    listener.unref();
    end.unref();
  },

  "a connection": connected,
  "a connection that reads": async (ends) => {
    const [conn] = await connected(ends);
    void conn.read(byte());
  },
  "a connection that reads, unref'd": async (ends) => {
    const [conn] = await connected(ends);
    void conn.read(byte());
    conn.unref();
  },
  "an unref'd connection that reads": async (ends) => {
    const [conn] = await connected(ends);
    conn.unref();
    void conn.read(byte());
  },
  "a connection that reads, unref'd and ref'd": async (ends) => {
    const [conn] = await connected(ends);
    conn.unref();
    void conn.read(byte());
    conn.ref();
  },
  "a connection that has read": async (ends) => {
    const [conn, end] = await connected(ends);
    await Promise.all([conn.read(byte()), end.write(byte())]);
  },
  "a connection that writes": async (ends) => {
    const [conn] = await connected(ends);
    void writeOn(conn);
  },
  "a connection that writes, unref'd": async (ends) => {
    const [conn] = await connected(ends);
    void writeOn(conn);
    conn.unref();
  },
  "an unref'd connection that writes": async (ends) => {
    const [conn] = await connected(ends);
    conn.unref();
    void writeOn(conn);
  },
  "a connection closed with what its peer does not read": async (ends) => {
    const [conn] = await connected(ends);
    void writeOn(conn).catch(() => {});
    conn.close();
  },
  "a connection that has written": async (ends) => {
    const [conn] = await connected(ends);
    await conn.write(new Uint8Array(1 << 16));
  },
  "a connection closed while it reads": async (ends) => {
    const [conn] = await connected(ends);
    const reading = conn.read(byte()).catch(() => {});
    conn.close();
    await reading;
  },
  "a readable that is read": async (ends) => {
    const [conn] = await connected(ends);
    void conn.readable.getReader().read();
  },
  "a readable that is read, unref'd": async (ends) => {
    const [conn] = await connected(ends);
    void conn.readable.getReader().read();
    conn.unref();
  },
  "an unref'd connection's readable that is read": async (ends) => {
    const [conn] = await connected(ends);
    conn.unref();
    void conn.readable.getReader().read();
  },

  "a datagram socket": (ends) => void datagrams(ends),
  "a datagram socket that receives": (ends) => void datagrams(ends).receive(),
  "a datagram socket that receives, unref'd": (ends) => inOrder(datagrams(ends), receive, "wait", "unref"),
  "an unref'd datagram socket that receives": (ends) => inOrder(datagrams(ends), receive, "unref", "wait"),
  "a datagram socket that receives, unref'd and ref'd": (ends) => {
    inOrder(datagrams(ends), receive, "unref", "wait", "ref");
  },
  "a datagram socket that is iterated": (ends) => void datagrams(ends)[Symbol.asyncIterator]().next(),
  "a datagram socket that has received": async (ends) => {
    const socket = datagrams(ends), other = ends.far.listenDatagram({ hostname: ends.peer, port: 0 });
    await Promise.all([socket.receive(), other.send(byte(), socket.addr)]);
  },

  "a server of HTTP": (ends) => void serving(ends),
  "a server of HTTP, unref'd": (ends) => serving(ends).unref(),
  "a server of HTTP, unref'd and ref'd": (ends) => {
    const server = serving(ends);
    server.unref();
    server.ref();
  },
  "a server of HTTP with a connection": async (ends) => {
    const server = serving(ends);
    await keptAlive(ends, server.addr.port);
  },
  "a server of HTTP with a connection, unref'd": async (ends) => {
    const server = serving(ends);
    await keptAlive(ends, server.addr.port);
    server.unref();
  },
  "an unref'd server of HTTP with a connection": async (ends) => {
    const server = serving(ends);
    server.unref();
    await keptAlive(ends, server.addr.port);
  },
  "a server of HTTP that was shut down": (ends) => serving(ends).shutdown(),

  "a server of node:net": nodeServer,
  "a server of node:net, unref'd": async (ends) => (await nodeServer(ends)).unref(),
  "a server of node:net, unref'd and ref'd": async (ends) => (await nodeServer(ends)).unref().ref(),
  "a socket of node:net": async (ends) => void await nodeSocket(ends),
  "a socket of node:net that reads": async (ends) => void (await nodeSocket(ends))[0].resume(),
  "a socket of node:net, unref'd": async (ends) => void (await nodeSocket(ends))[0].unref(),
  "a socket of node:net that reads, unref'd": async (ends) => {
    const [socket] = await nodeSocket(ends);
    socket.resume().unref();
  },
  "a socket of node:net, unref'd and ref'd": async (ends) => void (await nodeSocket(ends))[0].unref().ref(),
  "a socket of node:net, destroyed": async (ends) => void (await nodeSocket(ends))[0].destroy(),
};

function onDeno(): Ends {
  const deno = Deno as unknown as Sockets;
  const sockets: Sockets = {
    connect: deno.connect,
    listen: deno.listen,
    serve: deno.serve,
    listenDatagram: (options) => deno.listenDatagram({ transport: "udp", ...options }),
  };
  return { near: sockets, far: sockets, own: "127.0.0.1", peer: "127.0.0.1", net };
}

/** Two stacks, neither of which holds the program by itself. */
async function onStacks(): Promise<Ends> {
  const own = "10.0.0.1", peer = "10.0.0.2";
  const [left, right] = link({ clock: () => Math.round(performance.now() * 1_000) });
  const near = await Stack.open({ nic: left, addresses: [`${own}/24`] });
  const far = await Stack.open({ nic: right, addresses: [`${peer}/24`] });
  near.unref();
  far.unref();
  return {
    near: near as unknown as Sockets,
    far: far as unknown as Sockets,
    own,
    peer,
    net: near.net as unknown as NodeNet,
  };
}

if (import.meta.main) {
  const [side, name = ""] = Deno.args;
  const ends = side === "stack" ? await onStacks() : onDeno();
  await OPENINGS[name]!(ends);
  Deno.unrefTimer(setTimeout(() => {
    console.log("holds");
    Deno.exit();
  }, PATIENCE));
}
