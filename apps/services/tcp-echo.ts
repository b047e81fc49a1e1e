/** `tcp-echo`: what arrives goes back (RFC 862), in one ring from the one buffer to the other. */
import { type ConnectionHandler, type Tcp, Through } from "../../mod.ts";

/** What a connection holds at most of what its peer has sent and not taken back; then the window closes. */
const HELD = 1 << 20;

/** One for all connections: what they differ by is in their buffers. */
const ECHO: ConnectionHandler = {
  readable: (connection) => connection.flush(),
  writable: (connection) => connection.flush(),
  // What is still in the ring is sent before our own end.
  peerClosed: (connection) => connection.close(),
};

/** Echoes on a port. False: somebody listens there. */
export function serveEcho(tcp: Tcp, port: number): boolean {
  return tcp.listen({ port }, (connection) => {
    connection.sendBuffer = connection.receiveBuffer = new Through(HELD);
    return ECHO;
  }) !== undefined;
}
