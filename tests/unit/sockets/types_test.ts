/**
 * Sockets are what Deno's and node's own types say: these assignments fail the type check of this file otherwise.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import http from "node:http";
import type { Duplex } from "node:stream";
import type {
  DatagramConn,
  HttpServer,
  Net,
  NetSocket,
  ServeHandler,
  Stack,
  TcpConn,
  TcpListener,
} from "../../../mod.ts";

type Is<A, B> = [A] extends [B] ? true : false;

Deno.test("types: sockets are assignable to Deno's own types", () => {
  const deno: [
    Is<TcpConn, Deno.TcpConn>,
    Is<TcpConn, Deno.Conn<Deno.NetAddr>>,
    Is<TcpListener, Deno.TcpListener>,
    Is<TcpListener, Deno.Listener<TcpConn, Deno.NetAddr>>,
    Is<HttpServer, Deno.HttpServer<Deno.NetAddr>>,
    Is<Deno.ServeHandler<Deno.NetAddr>, ServeHandler>,
    Is<Stack, AsyncDisposable>,
  ] = [true, true, true, true, true, true, true];
  equal(deno.every((is) => is), true);
});

Deno.test("types: Deno's own options are taken", () => {
  const listen = (stack: Stack, options: Deno.TcpListenOptions): Deno.TcpListener => stack.listen(options);
  const connect = (
    stack: Stack,
    options: Deno.ConnectOptions & { hostname: string },
  ): Promise<Deno.TcpConn> => stack.connect(options);
  const serve = (
    stack: Stack,
    options: Deno.ServeTcpOptions,
    handler: Deno.ServeHandler<Deno.NetAddr>,
  ): Deno.HttpServer<Deno.NetAddr> => stack.serve(options, handler);
  equal([listen, connect, serve].length, 3);
});

Deno.test("types: a socket is a Duplex, and node:http takes createConnection as it is", () => {
  const node: [
    Is<NetSocket, Duplex>,
    Is<Net["createConnection"], NonNullable<http.RequestOptions["createConnection"]>>,
  ] = [true, true];
  equal(node.every((is) => is), true);
});

/** `Deno.DatagramConn` is not stable, so its type is only there when it is asked for. */
Deno.test("types: a datagram socket is assignable to Deno.DatagramConn", async () => {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      path,
      `import type { DatagramConn } from "${new URL("../../../mod.ts", import.meta.url)}";
      declare const conn: DatagramConn;
      const deno: Deno.DatagramConn = conn;
      console.log(deno);`,
    );
    const args = ["check", "--quiet", "--unstable-net", path];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    equal(success, true, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(path);
  }
  const datagrams: Is<DatagramConn, AsyncIterable<[Uint8Array, unknown]>> = true;
  equal(datagrams, true);
});
