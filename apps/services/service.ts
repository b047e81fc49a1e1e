/** What a service is: something that a host offers beside ARP and pings, on a port of its own. */
import type { Appliance } from "../appliance.ts";

/** A kind of service, as the command line names it. */
export interface Service {
  /** Its name: "udp-echo". */
  readonly name: string;
  /** What it does, for the help. */
  readonly meaning: string;
  /** The protocol whose ports it listens on. */
  readonly transport: "udp" | "tcp";
  /** The port that it has unless another one is named: the assigned one. */
  readonly port: number;
  /** How it is written, where something else than a port may stand behind its name; absent: NAME[:PORT]. */
  readonly form?: string;
  /** Throws a UsageError unless this may stand behind the name; absent: a port may. */
  readonly check?: (text: string, setting: string) => void;
  /** Whether it is the host's one conversation with the link, so that of several threads one has it. Default false. */
  readonly speaksForHost?: true;
  /** Starts it on a port that is free, with what stood behind its name, and answers with its counters. */
  readonly start: (host: Appliance, port: number, setting?: string) => ServiceCounters;
}

/** What every service counts; a service may count more, which then are reasons why it did not answer. */
export interface ServiceCounters {
  /** Requests answered. */
  readonly answered: number;
}

/** A service on a port, as it was asked for. */
export interface ServiceChoice {
  readonly service: Service;
  readonly port: number;
  /** What stood behind its name, if that is no port. */
  readonly setting?: string;
}

/** How many handshakes of one TCP service may be under way at once before cookies do instead. */
export const BACKLOG = 1_024;
