/** `tcp-echo`: what arrives goes back, in one ring from the one buffer to the other. */
import { type ConnectionHandler, Through } from "../../mod.ts";
import type { Appliance } from "../appliance.ts";
import { BACKLOG, type Service } from "./service.ts";

/** What is held at most of what a peer has sent and not taken back; then its window closes. */
const HELD = 1 << 20;

/** One for all connections, which differ by their buffers. */
const HANDLER: ConnectionHandler = {
  readable: (connection) => connection.flush(),
  writable: (connection) => connection.flush(),
  // Our own end follows what is still in the ring.
  peerClosed: (connection) => connection.close(),
};

/** The service. */
export const tcpEcho: Service = {
  name: "tcp-echo",
  meaning: "what a connection brings goes back (RFC 862)",
  transport: "tcp",
  port: 7,
  start: ({ tcp }: Appliance, port: number) => {
    const counters = { answered: 0 };
    tcp.listen({ port, backlog: BACKLOG }, (connection) => {
      counters.answered++;
      connection.sendBuffer = connection.receiveBuffer = new Through(HELD);
      return HANDLER;
    });
    return counters;
  },
};
