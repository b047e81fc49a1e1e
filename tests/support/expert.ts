/**
 * What Wireshark thinks of our packets: tcpdump records them, tshark reads the record.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findProgram } from "../../scripts/setup/programs.ts";
import { APPLIANCE, peer, TAP } from "./peer.ts";

/** Debian's programs that it takes. */
export const EXPERT_PROGRAMS: readonly string[] = ["tcpdump", "tshark"];

/** Wireshark's groups of what is wrong with a packet itself, in contrast to what befell it on the way. */
const CHECKSUM = "16777216", PROTOCOL = "150994944", MALFORMED = "117440512";

/** Wireshark's severity of errors, in whichever group. */
const ERROR = "8388608";

/** A record of the TAP, which should have no offloads: so segments are whole and single where tcpdump sees them. */
export class Recording {
  readonly #file: string;
  readonly #tcpdump: Deno.ChildProcess;

  private constructor(file: string) {
    this.#file = file;
    this.#tcpdump = new Deno.Command(findProgram("tcpdump") ?? "tcpdump", {
      args: ["--immediate-mode", "-B", "65536", "-U", "-i", TAP, "-w", file, "-Z", "root"],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
  }

  /** Records into a file from the moment on that this resolves. */
  static async start(file: string): Promise<Recording> {
    const recording = new Recording(file);
    const reader = recording.#tcpdump.stderr.getReader();
    await reader.read();
    reader.releaseLock();
    return recording;
  }

  /**
   * Ends it. The packets from our side were many, and Wireshark finds none of them malformed, none with a wrong checksum or
   * against its protocol, and nothing that it calls an error.
   */
  async assertNothingWrong(least: number): Promise<void> {
    this.#tcpdump.kill("SIGINT");
    await this.#tcpdump.status;
    await this.#tcpdump.stderr.cancel();
    const { stdout, stderr } = await peer("tshark", [
      ...["-n", "-r", this.#file, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"],
      ...["-Y", `ip.src == ${APPLIANCE}`, "-T", "fields", "-e", "frame.number"],
      ...["-e", "_ws.expert.group", "-e", "_ws.expert.severity", "-e", "_ws.expert.message"],
    ]);
    const frames = stdout.trim().split("\n");
    assert.ok(frames.length >= least, `${frames.length} frames; ${stderr}`);
    const wrong = frames.filter((line) => {
      const [, groups = "", severities = ""] = line.split("\t");
      const isWrong = (group: string) => group === CHECKSUM || group === PROTOCOL || group === MALFORMED;
      return groups.split(",").some(isWrong) || severities.split(",").includes(ERROR);
    });
    assert.deepEqual(wrong, []);
  }
}
