/**
 * NIC specifications: "tap:tap0" or "link:", with options behind the name, "kind:name,key=value,key=value".
 *
 * @module
 */
import { checkInterfaceName } from "./linux/netif.ts";
import { cutSpec, joinSpec, type SpecOption, type SpecOptions } from "./spec-options.ts";

/** A Linux TAP interface. */
export interface TapSpec {
  /** "tap". */
  readonly kind: "tap";
  /** The interface. */
  readonly name: string;
  /** Whether checksums and long segments are left to the kernel: true, or it is an error; absent: if it can. */
  readonly offload?: boolean;
  /** Whether the kernel takes in what we write on a thread of its own; absent: without offloads, if it can. */
  readonly threaded?: boolean;
}

/** A Linux TUN interface. */
export interface TunSpec {
  /** "tun". */
  readonly kind: "tun";
  /** The interface. */
  readonly name: string;
  /** Whether checksums and long segments are left to the kernel: true, or it is an error; absent: if it can. */
  readonly offload?: boolean;
  /** Whether the kernel takes in what we write on a thread of its own; absent: without offloads, if it can. */
  readonly threaded?: boolean;
}

/** An interface of the host, through a packet socket. */
export interface RawSpec {
  /** "raw". */
  readonly kind: "raw";
  /** The interface. */
  readonly name: string;
  /** Whether frames for other stations are taken too. Default false. */
  readonly promisc?: boolean;
}

/** A queue of an interface, through AF_XDP. */
export interface XdpSpec {
  /** "xdp". */
  readonly kind: "xdp";
  /** The interface. */
  readonly name: string;
  /** The queue. Default 0. */
  readonly queue?: number;
  /** Where the program in the kernel runs: behind the driver or in it; absent: in it if it can. */
  readonly mode?: "skb" | "drv";
  /** False: every frame of the queue is taken, also the host's. Default true. */
  readonly share?: boolean;
}

/** A wire in memory. */
export interface LinkSpec {
  /** "link". */
  readonly kind: "link";
}

/** A NIC as a command line names it. Fields beside `kind` and `name` are the options behind the name. */
export type NicSpec = TapSpec | TunSpec | RawSpec | XdpSpec | LinkSpec;

/** A form that {@linkcode parseNicSpec} takes. */
export interface NicSpecForm {
  /** What is written: "tap:NAME". */
  readonly form: string;
  /** What it means, in a few words. */
  readonly meaning: string;
  /** What may follow behind commas. */
  readonly options: readonly SpecOption[];
}

/** A kind of NIC: its form, and how the rest of a specification is read. */
interface Kind extends NicSpecForm {
  readonly read: (name: string, options: SpecOptions) => NicSpec | undefined;
}

const OFFLOAD: SpecOption = {
  form: "offload=on|off",
  meaning: "checksums and long segments are left to the kernel; default: if it can",
};

const THREADED: SpecOption = {
  form: "threaded=on|off",
  meaning: "a kernel thread takes in what we write; default: without offloads, if it can",
};

const KINDS: Readonly<Record<NicSpec["kind"], Kind>> = {
  tap: {
    form: "tap:NAME",
    meaning: "a Linux TAP interface",
    options: [OFFLOAD, THREADED],
    read: (name, options) => ({ kind: "tap", name: interfaceName(name), ...readTap(options) }),
  },
  tun: {
    form: "tun:NAME",
    meaning: "a Linux TUN interface: IP packets without Ethernet",
    options: [OFFLOAD, THREADED],
    read: (name, options) => ({ kind: "tun", name: interfaceName(name), ...readTap(options) }),
  },
  raw: {
    form: "raw:IFACE",
    meaning: "a Linux interface beside the host, through a packet socket",
    options: [{ form: "promisc=on|off", meaning: "take frames for other stations too; default: off" }],
    read: (name, options) => {
      const promisc = options.toggle("promisc");
      return { kind: "raw", name: interfaceName(name), ...(promisc === undefined ? {} : { promisc }) };
    },
  },
  xdp: {
    form: "xdp:IFACE",
    meaning: "a queue of a Linux interface, through AF_XDP",
    options: [
      { form: "queue=N", meaning: "the queue; default: 0" },
      { form: "mode=skb|drv", meaning: "any driver, or in the driver; default: in it if it can" },
      { form: "share=on|off", meaning: "off: nothing of the queue is left to the host; default: on" },
    ],
    read: (name, options) => ({ kind: "xdp", name: interfaceName(name), ...readXdp(options) }),
  },
  link: {
    form: "link:",
    meaning: "a wire in memory with a built-in neighbour",
    options: [],
    read: (name) => name === "" ? { kind: "link" } : undefined,
  },
};

/** Every form that {@linkcode parseNicSpec} takes. */
export const NIC_SPECS: readonly NicSpecForm[] = Object.values(KINDS);

/**
 * What `text` names.
 *
 * @throws {SyntaxError} when it names no kind of NIC, or has an option that its kind does not know, saying which there are
 * @throws {NicError} when the interface's name cannot be one
 */
export function parseNicSpec(text: string): NicSpec {
  const { kind, name, options } = cutSpec(text);
  const known = Object.hasOwn(KINDS, kind) ? KINDS[kind as NicSpec["kind"]] : undefined;
  const spec = known?.read(name, options);
  if (spec === undefined) {
    const forms = NIC_SPECS.map(({ form, meaning }) => `${form} (${meaning})`).join(" or ");
    throw new SyntaxError(`"${text}" names no NIC: write ${forms}`);
  }
  options.finish();
  return spec;
}

/** The text that {@linkcode parseNicSpec} reads. */
export function formatNicSpec(spec: NicSpec): string {
  return joinSpec({ ...spec });
}

function readTap(options: SpecOptions): Omit<TapSpec, "kind" | "name"> {
  const offload = options.toggle("offload");
  const threaded = options.toggle("threaded");
  return {
    ...(offload === undefined ? {} : { offload }),
    ...(threaded === undefined ? {} : { threaded }),
  };
}

function readXdp(options: SpecOptions): Omit<XdpSpec, "kind" | "name"> {
  const queue = options.count("queue", 0, 1_023);
  const mode = options.choice("mode", ["skb", "drv"]);
  const share = options.toggle("share");
  return {
    ...(queue === undefined ? {} : { queue }),
    ...(mode === undefined ? {} : { mode }),
    ...(share === undefined ? {} : { share }),
  };
}

function interfaceName(name: string): string {
  checkInterfaceName(name);
  return name;
}
