/**
 * What the `ethox` program may do when it is one file, the same for both ways of making it. Everything that is
 * not named here is refused without a question (`--no-prompt`).
 *
 * Not granted at all: the network of the host (`--allow-net`: the stack is the network), information about the system
 * (`--allow-sys`), and imports. Devices are opened through libc.
 *
 * @module
 */

/** Permission flags for `deno run` and `deno compile`. Without spaces or quotes: they are put into a script. */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  // TAP, AF_PACKET, AF_XDP and poll are calls of libc. It is opened by name, because its path differs between
  // distributions, and a list of paths does not match a name. Who may call libc may do anything the user may:
  // the other limits catch mistakes, they do not contain an attacker.
  "--allow-ffi",
  // `--pcap FILE`: any file that the user names.
  "--allow-write",
  // `--filter FILE`, `ethox dump FILE`: the same.
  "--allow-read",
  // `ethox demo` starts itself in a network namespace and pings from the kernel's side. With a list, Deno starts
  // nothing while LD_PRELOAD or LD_LIBRARY_PATH is set; the demo then shows the same in memory.
  "--allow-run=unshare,ping,arping",
  // The conventions for colour, which commander reads.
  "--allow-env=NO_COLOR,FORCE_COLOR,CLICOLOR_FORCE",
  // Any other variable reads as unset rather than throwing inside a dependency.
  "--ignore-env",
];
