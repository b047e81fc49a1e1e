/** `http`: a tiny web server whose one page tells how the host fares. A handler for each connection, no sockets. */
import { seconds, StreamReceive, StreamSend } from "../../mod.ts";
import type { Appliance } from "../appliance.ts";
import { readRequest } from "./http-request.ts";
import { respond } from "./http-response.ts";
import { Patience } from "./patience.ts";
import { BACKLOG, type Service, type ServiceCounters } from "./service.ts";
import { statusPage } from "./status-page.ts";

/** What a connection holds at most of requests and of responses, and room for any one response. */
const RECEIVE = 8_192, SEND = 65_536, RESPONSE = 16_384;
/** How long a peer may take for a request, to take its response, and until the next. */
const PATIENCE = seconds(10);

/** What became of requests. */
export class HttpCounters implements ServiceCounters {
  /** Requests answered with the page. */
  answered = 0;
  /** Requests answered with an error. */
  refused = 0;
  /** Connections closed because nothing came of them for too long. */
  tooSlow = 0;
}

/** Requests are looked at one after the other, so all can be looked at here. */
const scratch = new Uint8Array(RECEIVE);
const latin1 = new TextDecoder("latin1");

/** The service. */
export const http: Service = {
  name: "http",
  meaning: "a web page that tells how this host fares",
  transport: "tcp",
  port: 80,
  start: (host: Appliance, port: number) => {
    const counters = new HttpCounters();
    const started = host.nic.now();
    const patience = new Patience(host.tcp, PATIENCE);
    const page = () => statusPage(host, (host.tcp.now - started) / 1e6);
    host.tasks.push({
      send: () => {
        if (patience.deadline <= host.tcp.now) counters.tooSlow += patience.lose();
      },
      deadline: () => patience.deadline,
    });
    host.tcp.listen({ port, backlog: BACKLOG }, (connection) => {
      patience.restart(connection);
      let rest = new Uint8Array(0);
      let hasPeerClosed = false;
      const received = connection.receiveBuffer = new StreamReceive(RECEIVE);
      const responses = connection.sendBuffer = new StreamSend(SEND);
      const work = () => {
        counters.tooSlow += patience.lose();
        while (!connection.finWanted && responses.free >= RESPONSE) {
          scratch.set(rest);
          const length = rest.length + received.read(scratch, rest.length);
          const request = readRequest(latin1.decode(scratch.subarray(0, length)), length === RECEIVE);
          rest = scratch.slice(request?.length ?? 0, length);
          if (request === undefined) break;
          patience.restart(connection);
          counters[request.status === 200 ? "answered" : "refused"]++;
          responses.write(respond(request, page));
          if (!request.keepsAlive) connection.close();
        }
        // RFC 9112 9.6: what follows the last request is read and dropped, lest a reset overtakes the response.
        if (connection.finWanted) received.discard(received.length);
        else if (hasPeerClosed && responses.free >= RESPONSE) connection.close();
        connection.flush();
      };
      return {
        readable: work,
        writable: work,
        peerClosed: () => {
          hasPeerClosed = true;
          work();
        },
        closed: () => patience.end(connection),
      };
    });
    return counters;
  },
};
