/**
 * Both ends of a connection, the nearer one on the side that a script is about.
 *
 * @module
 */
import net from "node:net";
import { type Side, told, toldSoon, zeros } from "./side.ts";

/** A connection opened on this side, and the peer's end of it. */
export async function connected({ sockets, peer }: Side): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: peer, port: 0 });
  const { port } = listener.addr;
  return await Promise.all([sockets.connect({ hostname: peer, port }), listener.accept()]);
}

/** The same with a peer of node:net, which can reset: Deno's `close` ends before it does. */
export async function resettable({ sockets, peer }: Side): Promise<[Deno.TcpConn, net.Socket]> {
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const connection = new Promise<net.Socket>((resolve) => void server.once("connection", resolve));
  await new Promise<void>((resolve) => void server.listen(0, peer, resolve));
  const { port } = server.address() as net.AddressInfo;
  const [conn, end] = await Promise.all([sockets.connect({ hostname: peer, port }), connection]);
  server.close();
  end.on("error", () => {});
  return [conn, end];
}

/** Has the peer end and reset: it closes with something unread. */
export async function closedUnread(conn: Deno.TcpConn, end: Deno.TcpConn): Promise<void> {
  await conn.write(zeros(2));
  await end.read(zeros(1));
  end.close();
}

/** Writes until nobody takes any more. Answers with how much was taken, and what becomes of the write that waits. */
export async function fill(conn: Deno.TcpConn): Promise<{ written: number; waiting: Promise<unknown> }> {
  const chunk = zeros(1 << 16);
  for (let written = 0;;) {
    const waiting = told(conn.write(chunk));
    const count = await toldSoon(waiting, 200);
    if (typeof count !== "number") return { written, waiting };
    written += count;
  }
}

/** How much there is to read until the end. */
export async function countToEnd(end: Deno.TcpConn): Promise<number> {
  const chunk = zeros(1 << 16);
  let all = 0;
  for (let count = await end.read(chunk); count !== null; count = await end.read(chunk)) all += count;
  return all;
}

/** A port that nobody listens on. */
export function closedPort(hostname: string): number {
  using listener = Deno.listen({ hostname, port: 0 });
  return listener.addr.port;
}
