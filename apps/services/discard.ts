/** `discard`: takes everything and answers nothing (RFC 863). */
import { type ConnectionHandler, Sink, type Tcp } from "../../mod.ts";

const DISCARD: ConnectionHandler = { peerClosed: (connection) => connection.close() };

/** Discards on a port. False: somebody listens there. */
export function serveDiscard(tcp: Tcp, port: number): boolean {
  return tcp.listen({ port }, (connection) => {
    connection.receiveBuffer = new Sink();
    return DISCARD;
  }) !== undefined;
}
