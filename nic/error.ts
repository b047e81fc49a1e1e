/**
 * Why a NIC cannot be opened or set up.
 *
 * @module
 */

/**
 * What kind of trouble a {@linkcode NicError} is:
 * `not-found`, no such interface or device file; `permission`, the operating system or Deno forbids it; `busy`,
 * somebody else uses it; `unsupported`, this system cannot do it; `invalid`, the specification is wrong; `failed`,
 * anything else the operating system answered.
 */
export type NicErrorKind = "not-found" | "permission" | "busy" | "unsupported" | "invalid" | "failed";

/** A NIC cannot be opened or set up. The message is one line: whose fault, what it is, and how to mend it. */
export class NicError extends Error {
  /** "NicError". */
  override readonly name: string = "NicError";
  /** The NIC or interface concerned, such as "tap0". */
  readonly nic: string;
  /** What kind of trouble it is. */
  readonly kind: NicErrorKind;

  /** The message becomes `nic: problem`, or `nic: problem; remedy`. */
  constructor(nic: string, kind: NicErrorKind, problem: string, remedy?: string) {
    super(remedy === undefined ? `${nic}: ${problem}` : `${nic}: ${problem}; ${remedy}`);
    this.nic = nic;
    this.kind = kind;
  }
}
