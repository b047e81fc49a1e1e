/**
 * Opening the NICs that specifications name.
 *
 * @module
 */
import { type Instant } from "../stack/store/time.ts";
import { Mac } from "../stack/wire/mac.ts";
import { monotonic } from "./clock.ts";
import type { Nic } from "./device.ts";
import { link, type LinkEnd } from "./link/link.ts";
import { InterfaceFlag, interfaceFlags, interfaceIndex } from "./linux/netif.ts";
import { openRaw } from "./linux/raw.ts";
import { openTap } from "./linux/tap.ts";
import { openXdp } from "./linux/xdp.ts";
import { type LinkSpec, type NicSpec, parseNicSpec } from "./spec.ts";

/** How {@linkcode openNic} opens. */
export interface OpenOptions {
  /** Makes an interface that is not there, for as long as it is open. Default false. */
  readonly create?: boolean;
  /** The clock of a wire in memory, in microseconds. Default: the monotonic clock. */
  readonly clock?: () => Instant;
}

/** A NIC that has been opened, and what is known of its other side. `using` closes both. */
export interface OpenedNic extends Disposable {
  /** What was opened. */
  readonly spec: NicSpec;
  /** The NIC. */
  readonly nic: Nic;
  /** The other end of a wire in memory, for a second host; undefined for all others. */
  readonly peer: LinkEnd | undefined;
  /** The operating system's own address on the interface, which the stack must not share; undefined: there is none. */
  readonly kernelMac: Mac | undefined;
  /** Whether the interface is switched on just now. */
  readonly isUp: () => boolean;
  /** Whether the operating system sends to the interface yet: Linux drops for a moment after the cable is put in. */
  readonly isRunning: () => boolean;
}

/**
 * Opens the NIC that a specification names, as text or read by {@linkcode parseNicSpec}: `openNic("tap:tap0").nic`. Its
 * `close` gives everything back.
 *
 * @throws {SyntaxError} when the text names no kind of NIC
 * @throws {NicError} when it cannot be opened, saying how to mend it
 */
export function openNic(named: NicSpec | string, options: OpenOptions = {}): OpenedNic {
  const spec = typeof named === "string" ? parseNicSpec(named) : named;
  if (spec.kind === "link") {
    const [nic, peer] = link({ clock: options.clock ?? monotonic });
    const close = () => {
      nic.close();
      peer.close();
    };
    return { spec, nic, peer, kernelMac: undefined, isUp: yes, isRunning: yes, [Symbol.dispose]: close };
  }
  const { name } = spec;
  const nic = openInterface(spec, options.create ?? false);
  const kernelMac = nic.mac === undefined ? undefined : new Mac().read(nic.mac, 0);
  return {
    spec,
    nic,
    peer: undefined,
    kernelMac,
    // If it is gone the NIC's own failure says so.
    isUp: () => interfaceIndex(name) === 0 || has(name, InterfaceFlag.Up),
    isRunning: () => has(name, InterfaceFlag.Running),
    [Symbol.dispose]: () => nic.close(),
  };
}

/** A NIC over an interface of Linux. */
function openInterface(
  spec: Exclude<NicSpec, LinkSpec>,
  create: boolean,
): Nic & { readonly mac: Uint8Array | undefined } {
  const { kind, name } = spec;
  if (kind === "raw") return openRaw(name, { promiscuous: spec.promisc ?? false });
  if (kind === "xdp") return openXdp(name, spec);
  return openTap(name, {
    create,
    mode: kind,
    ...(spec.offload === undefined ? {} : { offload: spec.offload }),
    ...(spec.threaded === undefined ? {} : { threaded: spec.threaded }),
  });
}

const yes = () => true;

function has(name: string, flag: number): boolean {
  try {
    return (interfaceFlags(name) & flag) !== 0;
  } catch {
    // It is gone: the NIC's own failure says so.
    return false;
  }
}
