/**
 * A network in a WebSocket: each message is an Ethernet frame. Where it is served there is a web server at 10.9.0.1;
 * who connects is a host at 10.9.0.2 that asks it, and has no other network than the WebSocket.
 *
 *     deno run --allow-net apps/examples/websocket-tunnel.ts 8080 &
 *     deno run --allow-net apps/examples/websocket-tunnel.ts ws://127.0.0.1:8080
 */
import { External, monotonic, Stack } from "../../mod.ts";

const [where] = Deno.args;
if (where === undefined) {
  console.error("usage: websocket-tunnel.ts PORT | URL, such as: 8080, or ws://127.0.0.1:8080");
  Deno.exit(2);
}

/** A NIC whose frames are the messages of a WebSocket that is open. */
function carriedBy(socket: WebSocket): External {
  const nic = new External({
    clock: monotonic,
    onSend: (bytes, start, end) => {
      // As on any link: what has no room is dropped, and TCP slows down.
      if (socket.readyState === WebSocket.OPEN && socket.bufferedAmount < 1 << 20) {
        socket.send(bytes.slice(start, end));
      }
    },
  });
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    if (data instanceof ArrayBuffer) nic.inject(new Uint8Array(data));
  };
  socket.onclose = () => nic.close();
  return nic;
}

async function opened(socket: WebSocket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.onopen = () => resolve();
  socket.onerror = () => reject(new Error(`no WebSocket at ${where}`));
  await promise;
}

/** One end's host for as long as the WebSocket is open. */
async function host(socket: WebSocket): Promise<void> {
  await opened(socket);
  const stack = await Stack.open({ nic: carriedBy(socket), addresses: ["10.9.0.1/24"] });
  stack.serve({ port: 80, onListen: () => {} }, () => new Response("Hello through a WebSocket\n"));
  await stack.closed.catch(() => stack.close());
}

/** The other end asks, and goes. */
async function ask(socket: WebSocket): Promise<void> {
  await opened(socket);
  await using stack = await Stack.open({ nic: carriedBy(socket), addresses: ["10.9.0.2/24"] });
  const connection = await stack.connect({ hostname: "10.9.0.1", port: 80 });
  await connection.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
  await connection.readable.pipeTo(Deno.stdout.writable, { preventClose: true });
}

if (where.startsWith("ws")) {
  const socket = new WebSocket(where);
  try {
    await ask(socket);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exitCode = 1;
  }
  socket.close();
} else {
  const onListen = ({ port }: Deno.NetAddr) => console.log(`ws://127.0.0.1:${port}`);
  Deno.serve({ port: Number(where), onListen }, (request) => {
    if (request.headers.get("upgrade") !== "websocket") {
      return new Response("a WebSocket, please\n", { status: 426 });
    }
    const { socket, response } = Deno.upgradeWebSocket(request);
    void host(socket);
    return response;
  });
}
