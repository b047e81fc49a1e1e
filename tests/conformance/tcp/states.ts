/** Connections in every state of RFC 9293 3.3.2. */
import { equal } from "node:assert/strict";
import { stateName } from "../../../stack/tcp/state.ts";
import {
  established,
  listening,
  type PeerOptions,
  stamp,
  syn,
  type TcpPeer,
} from "../../support/peer-tcp.ts";

/** Every state that a connection has behind the handshake's first segment. */
export const STATES = [
  "SYN-RECEIVED",
  "ESTABLISHED",
  "FIN-WAIT-1",
  "FIN-WAIT-2",
  "CLOSE-WAIT",
  "CLOSING",
  "LAST-ACK",
  "TIME-WAIT",
] as const;

/** A state's name. */
export type StateName = (typeof STATES)[number];

/** The state of the one connection that there is. */
export function stateOf(peer: TcpPeer): StateName | "CLOSED" {
  const [c] = peer.tcp.connections;
  if (c !== undefined) return stateName(c.state) as StateName;
  return peer.tcp.timeWaits.size > 0 ? "TIME-WAIT" : "CLOSED";
}

/** A peer and a connection in `state`, passively opened, that will not acknowledge at once what arrives in order. */
export function inState(state: StateName, options: PeerOptions = {}): TcpPeer {
  const peer = bring(state, options);
  for (const c of peer.tcp.connections) c.quickAcks = 0;
  equal(stateOf(peer), state);
  return peer;
}

function bring(state: StateName, options: PeerOptions): TcpPeer {
  if (state === "SYN-RECEIVED") {
    const peer = listening(options);
    peer.send(syn(peer));
    return peer;
  }
  const peer = established(options);
  const stamps = () => stamp(peer);
  const close = () => {
    peer.connection.close();
    peer.flush();
  };
  switch (state) {
    case "ESTABLISHED":
      break;
    case "FIN-WAIT-1":
      close();
      break;
    case "FIN-WAIT-2":
      close();
      peer.send({ flags: "A", ...stamps() });
      break;
    case "CLOSE-WAIT":
      peer.send({ flags: "FA", ...stamps() });
      break;
    case "CLOSING":
      close();
      peer.send({ flags: "FA", ack: 1, ...stamps() });
      break;
    case "LAST-ACK":
      peer.send({ flags: "FA", ...stamps() });
      close();
      break;
    case "TIME-WAIT":
      close();
      peer.send({ flags: "A", ...stamps() }, { flags: "FA", ...stamps() });
      break;
  }
  return peer;
}
