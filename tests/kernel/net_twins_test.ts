/** Our sockets in node:net's shape and node:net's own, Deno's, under the same scripts: where they differ, and how. */
import { deepEqual } from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { stacks } from "../support/stacks.ts";

type NodeNet = Pick<typeof net, "createServer" | "connect" | "Socket">;

/** Both ends of the cable, or the loopback interface. */
interface Ends {
  readonly server: NodeNet;
  readonly client: NodeNet;
  readonly host: string;
}

type Script = (ends: Ends) => Promise<unknown>;

const codeOf = (error: unknown) => (error as { code?: string } | null | undefined)?.code ?? "none";

async function listening(ends: Ends): Promise<net.Server> {
  const server = ends.server.createServer({ allowHalfOpen: true });
  server.listen({ port: 0, host: ends.host });
  await once(server, "listening");
  return server;
}

const portOf = (server: net.Server) => (server.address() as net.AddressInfo).port;

const writtenAfterTheEnd: Script = async (ends) => {
  const server = await listening(ends);
  const arrived = once(server, "connection");
  const socket = ends.client.connect(portOf(server), ends.host);
  const [end] = await arrived as [net.Socket];
  const errors: string[] = [];
  socket.on("error", (error) => void errors.push(codeOf(error)));
  socket.resume();
  end.end();
  await once(socket, "end");
  const told = await new Promise((resolve) => void socket.write("late", (error) => resolve(codeOf(error))));
  end.destroy();
  socket.destroy();
  server.close();
  await once(server, "close");
  return told;
};

const tooMany: Script = async (ends) => {
  const server = await listening(ends);
  server.maxConnections = 1;
  const first = ends.client.connect(portOf(server), ends.host);
  await once(first, "connect");
  const second = ends.client.connect(portOf(server), ends.host);
  let told = "an end";
  second.on("error", (error) => void (told = codeOf(error))).resume();
  await new Promise((resolve) => void second.once("close", resolve));
  server.on("connection", (socket) => void socket.destroy());
  first.destroy();
  server.close();
  return told;
};

const refused: Script = async (ends) => {
  const server = await listening(ends);
  const port = portOf(server);
  server.close();
  await once(server, "close");
  const socket = ends.client.connect(port, ends.host).on("error", () => {});
  return await new Promise((resolve) => void socket.write("early", (error) => resolve(codeOf(error))));
};

const unconnected: Script = async (ends) => {
  const socket = new ends.client.Socket().on("error", () => {});
  const written = new Promise((resolve) => void socket.write("early", (error) => resolve(codeOf(error))));
  const waits = new Promise((resolve) => void setTimeout(resolve, 50, "waits"));
  const told = await Promise.race([written, waits]);
  socket.destroy();
  await waits;
  return told;
};

/** What node:net's tell, and ours. */
const DIFFERENT: Readonly<Record<string, readonly [Script, unknown, unknown]>> = {
  "a write when the peer has ended": [writtenAfterTheEnd, "EPIPE", "ERR_STREAM_WRITE_AFTER_END"],
  "one connection too many": [tooMany, "an end", "ECONNRESET"],
  "a write that waits for a connection that is refused": [
    refused,
    "ERR_SOCKET_CLOSED_BEFORE_CONNECTION",
    "ECONNREFUSED",
  ],
  "a write before connect": [unconnected, "ERR_SOCKET_CLOSED", "waits"],
};

for (const [name, [script, nodes, ours]] of Object.entries(DIFFERENT)) {
  Deno.test(`net: where node:net differs: ${name}`, async () => {
    deepEqual(await script({ server: net, client: net, host: "127.0.0.1" }), nodes);
    await using both = await stacks();
    const [server, client] = [both.server.net, both.client.net] as unknown as NodeNet[];
    deepEqual(await script({ server: server!, client: client!, host: "10.0.0.1" }), ours);
  });
}
