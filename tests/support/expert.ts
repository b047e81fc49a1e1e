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

/** Longer than any frame. */
const WHOLE = 1 << 18;

/** Wireshark's severity of errors, in whichever group. */
const ERROR = "8388608";

/**
 * A record of the TAP, which should have no offloads and no thread of the kernel's: so segments are whole and single where
 * tcpdump sees them.
 */
export class Recording {
  readonly #file: string;
  readonly #tcpdump: Deno.ChildProcess;

  private constructor(file: string, snapLength: number) {
    this.#file = file;
    this.#tcpdump = new Deno.Command(findProgram("tcpdump") ?? "tcpdump", {
      args: [
        ...["--immediate-mode", "-B", "65536", "-U", "-s", String(snapLength)],
        ...["-i", TAP, "-w", file, "-Z", "root"],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
  }

  /**
   * Records into a file from the moment on that this resolves: whole frames, or so many bytes of each, from which
   * TCP's checksum cannot be told.
   */
  static async start(file: string, snapLength: number = WHOLE): Promise<Recording> {
    const recording = new Recording(file, snapLength);
    const reader = recording.#tcpdump.stderr.getReader();
    await reader.read();
    reader.releaseLock();
    return recording;
  }

  /**
   * Ends it. The packets from our side were many, and Wireshark finds none of them malformed, none with a wrong checksum or
   * against its protocol, and nothing that it calls an error. Answers with the bytes of data in them, repeated ones too, and
   * with the most that one acknowledges of a connection's.
   */
  async assertNothingWrong(least: number): Promise<{ sent: number; acknowledged: number }> {
    this.#tcpdump.kill("SIGINT");
    await this.#tcpdump.status;
    await this.#tcpdump.stderr.cancel();
    const { stdout, stderr } = await peer("tshark", [
      ...["-n", "-r", this.#file, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"],
      ...["-Y", `ip.src == ${APPLIANCE}`, "-T", "fields", "-e", "frame.number"],
      ...["-e", "_ws.expert.group", "-e", "_ws.expert.severity", "-e", "_ws.expert.message"],
      ...["-e", "tcp.len", "-e", "tcp.ack"],
    ]);
    const frames = stdout.trim().split("\n");
    assert.ok(frames.length >= least, `${frames.length} frames; ${stderr}`);
    const wrong = frames.filter((line) => {
      const [, groups = "", severities = ""] = line.split("\t");
      const isWrong = (group: string) => group === CHECKSUM || group === PROTOCOL || group === MALFORMED;
      return groups.split(",").some(isWrong) || severities.split(",").includes(ERROR);
    });
    assert.deepEqual(wrong, []);
    let sent = 0, acknowledged = 0;
    for (const line of frames) {
      const [length = "", acknowledgment = ""] = line.split("\t").slice(4);
      sent += Number(length);
      acknowledged = Math.max(acknowledged, Number(acknowledgment));
    }
    return { sent, acknowledged };
  }
}
