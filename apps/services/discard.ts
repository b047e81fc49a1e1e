/** `discard`: takes everything and answers nothing. */
import { type ConnectionHandler, Sink } from "../../mod.ts";
import type { Appliance } from "../appliance.ts";
import { BACKLOG, type Service } from "./service.ts";

const HANDLER: ConnectionHandler = { peerClosed: (connection) => connection.close() };

/** The service. */
export const discard: Service = {
  name: "discard",
  meaning: "takes what a connection brings (RFC 863)",
  transport: "tcp",
  port: 9,
  start: ({ tcp }: Appliance, port: number) => {
    const counters = { answered: 0 };
    tcp.listen({ port, backlog: BACKLOG }, (connection) => {
      counters.answered++;
      connection.receiveBuffer = new Sink();
      return HANDLER;
    });
    return counters;
  },
};
