/** The options that several commands share. A command takes those that it honours. */
import { Option } from "./commander.ts";
import * as parse from "./parse.ts";

/** The NIC to use. */
export const nic = new Option(
  "--nic <spec>",
  "the NIC: tap:NAME, or link: (in memory, with a built-in neighbour)",
)
  .argParser(parse.nic)
  .default({ kind: "tap", name: "tap0" } as const, "tap:tap0");

/** The own addresses. */
export const addr = new Option(
  "--addr <cidr>",
  "an own address with its prefix; may be repeated (link:: 10.0.0.1/24)",
)
  .argParser(parse.ownAddress);

/** Default routes. */
export const gateway = new Option("--gateway <ip>", "a router to other networks; may be repeated")
  .argParser(parse.gateway);

/** The own hardware address. */
export const mac = new Option(
  "--mac <mac>",
  "the own hardware address (default: a local one, made of the NIC's name)",
)
  .argParser(parse.mac);

/** One JSON object a line. */
export const json = new Option("--json", "write one JSON object a line; the first is the ready event");

/** Each packet in one line. */
export const verbose = new Option("-v, --verbose", "show every packet").conflicts("quiet");

/** An end after some time. */
export const duration = new Option("-d, --duration <time>", "stop after this time, such as 500ms, 2s or 1m")
  .argParser(parse.duration("--duration", 1_000));
