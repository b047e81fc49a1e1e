/**
 * What is known of one neighbour, and the states of RFC 4861 7.3.2 that it goes through. ARP's neighbours go through
 * the same ones: RFC 1122 2.3.2.1 asks for such polls.
 *
 * @module
 */
import { type Instant, NEVER } from "../store/time.ts";
import { Address } from "../wire/address.ts";
import { Mac } from "../wire/mac.ts";

/** How far a neighbour is known to be reachable (RFC 4861 7.3.2). From `Reachable` on its link address is known. */
export const NeighbourState = {
  /** Its link address is being looked up. */
  Incomplete: 0,
  /** It has been heard from, or of, in answer to us within the reachable time. */
  Reachable: 1,
  /** Its link address is known; whether it still holds is not, and nobody has asked for it since. */
  Stale: 2,
  /** Packets go to it again; the layers above have some time to confirm that they arrive. */
  Delay: 3,
  /** It is being asked itself, since nobody has confirmed it. */
  Probe: 4,
  /** Its link address was given by hand and stays. */
  Static: 5,
} as const;

/** One of {@linkcode NeighbourState}'s numbers. */
export type NeighbourState = (typeof NeighbourState)[keyof typeof NeighbourState];

const NAMES = ["incomplete", "reachable", "stale", "delay", "probe", "static"] as const;

/** The state as RFC 4861 names it, in small letters. */
export function neighbourStateName(state: NeighbourState): string {
  return NAMES[state];
}

/** A request that is due. */
export interface NeighbourRequest {
  /** Whom to ask for. */
  readonly address: Address;
  /** Whether everybody is asked; else only the neighbour itself, whose address is being confirmed. */
  isGroup: boolean;
  /** Its station as far as it is known; everybody where `isGroup` is set. */
  readonly mac: Mac;
}

/** What `Neighbours.entries` shows of a neighbour. */
export interface NeighbourEntry {
  /** Its address. */
  readonly address: Address;
  /** Its link address; undefined while it is not known. */
  readonly mac: Mac | undefined;
  /** What is known of it. */
  readonly state: NeighbourState;
  /** Whether it has said that it is a router (RFC 4861 5.1, IsRouter). */
  readonly isRouter: boolean;
  /** Until when it counts as reachable without news; in the past if it does not. */
  readonly reachableUntil: Instant;
}

/** An entry of the cache. */
export class Entry implements NeighbourRequest {
  readonly address: Address = new Address();
  readonly mac: Mac = new Mac();
  state: NeighbourState = NeighbourState.Incomplete;
  isRouter = false;
  isGroup = false;
  reachableUntil: Instant = NEVER;
  /** When the last request was sent, or the look-up noted if none has been. */
  askedAt: Instant = NEVER;
  /** Requests sent in this state. */
  requests = 0;
}

/** An empty request for `Neighbours.nextRequest` to fill. */
export function newRequest(): NeighbourRequest {
  return { address: new Address(), mac: new Mac(), isGroup: false };
}

/** The state of an entry: what was reachable is stale when its time is over, without anybody doing anything. */
export function stateAt({ state, reachableUntil }: Entry, now: Instant): NeighbourState {
  return state === NeighbourState.Reachable && now >= reachableUntil ? NeighbourState.Stale : state;
}
