/**
 * Leases in a file, so that they last over restarts: the host's own, and those that `serve dhcp` has given.
 *
 * A line is a change, as JSON, and the last line about an address counts; so what is written is only ever added to, and
 * a line that a crash has cut short spoils no other. When the file is opened, and when it has grown long, it is written
 * anew.
 *
 * @module
 */
import { Address, type HeldLease, type KeptLease, type Lease } from "../mod.ts";
import { CliError, ExitStatus } from "./cli/errors.ts";
import { fileProblem } from "./cli/files.ts";
import {
  dateIn,
  keyOf,
  leaseOf,
  type LeaseRecord,
  recordOf,
  secondsUntil,
  writtenLease,
} from "./lease-record.ts";

/** Lines beyond the leases that count, before the file is written anew. */
const SLACK = 4_096;

/** A file longer than this is none of ours. */
const LENGTH_MAX = 16 << 20;

/** The file. It is opened once, so that it can be written to by a process that has given up its rights. */
export class LeaseFile implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  /** The records that count, by what they are about. */
  readonly #records = new Map<string, LeaseRecord>();
  #lines = 0;
  /** What went wrong, in one line; undefined: nothing. */
  failure: string | undefined;

  /** Opens the file, or makes it. `warn` is told of lines that are none. Throws a {@linkcode CliError}. */
  constructor(path: string, warn: (line: string) => void) {
    this.#path = path;
    try {
      this.#file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
      this.#read(warn);
    } catch (error) {
      if (error instanceof CliError) throw error;
      throw new CliError(ExitStatus.Failed, `--leases: ${path} cannot be used: ${fileProblem(error)}`);
    }
    this.#rewrite();
  }

  /** What is left of the lease that the host with this hardware address had; undefined: nothing is known. */
  own(mac: string): HeldLease | undefined {
    const record = this.#records.get(`own ${mac}`);
    if (record === undefined || !("own" in record) || record.lease === null) return undefined;
    const lease = leaseOf(record.lease);
    return lease === undefined ? undefined : { lease, remaining: secondsUntil(record.expires) };
  }

  /** Keeps the own lease; undefined: there is none any more. */
  keepOwn(mac: string, lease: Lease | undefined, remaining: number): void {
    const written = lease === undefined ? null : writtenLease(lease);
    this.#put({ own: mac, lease: written, expires: lease === undefined ? null : dateIn(remaining) });
  }

  /** What was leased to clients. */
  given(): KeptLease[] {
    return [...this.#records.values()].flatMap((record) => {
      const address = "given" in record ? Address.tryParse(record.given) : undefined;
      if (address === undefined || !("given" in record)) return [];
      return [{ address, client: record.client, remaining: secondsUntil(record.expires) }];
    });
  }

  /** Keeps what was leased to a client. */
  keepGiven({ address, client, remaining }: KeptLease): void {
    this.#put({ given: String(address), client, expires: dateIn(remaining) });
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  #put(record: LeaseRecord): void {
    this.#records.set(keyOf(record), record);
    if (this.#lines > this.#records.size + SLACK) return this.#rewrite();
    this.#write(`${JSON.stringify(record)}\n`);
    this.#lines++;
  }

  #read(warn: (line: string) => void): void {
    const { size } = this.#file.statSync();
    if (size > LENGTH_MAX) {
      throw new CliError(
        ExitStatus.Failed,
        `--leases: ${this.#path} has ${size} bytes, so it is no file of leases; name another`,
      );
    }
    const bytes = new Uint8Array(size);
    let length = 0;
    for (let count: number | null = 0; count !== null && length < size; length += count ?? 0) {
      count = this.#file.readSync(bytes.subarray(length));
    }
    const lines = new TextDecoder().decode(bytes.subarray(0, length)).split("\n");
    const isWhole = lines.pop() === "";
    const bad = lines.filter((line) => {
      const record = recordOf(line);
      if (record !== undefined) this.#records.set(keyOf(record), record);
      return record === undefined;
    });
    if (bad.length > 0 && this.#records.size === 0) {
      throw new CliError(
        ExitStatus.Failed,
        `--leases: ${this.#path} is no file of leases, so it is left alone; name another`,
      );
    }
    const count = bad.length + (isWhole ? 0 : 1);
    if (count > 0) warn(`--leases: ${this.#path}: ${count} lines are no leases, and are left out`);
  }

  #rewrite(): void {
    const text = [...this.#records.values()].map((record) => `${JSON.stringify(record)}\n`).join("");
    this.#try(() => {
      this.#file.seekSync(0, Deno.SeekMode.Start);
      this.#file.truncateSync(0);
    });
    this.#write(text);
    this.#lines = this.#records.size;
  }

  #write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#try(() => {
      for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    });
  }

  #try(act: () => void): void {
    if (this.failure !== undefined) return;
    try {
      act();
    } catch (error) {
      this.failure = `--leases: ${this.#path} cannot be written: ${fileProblem(error)}`;
    }
  }
}
