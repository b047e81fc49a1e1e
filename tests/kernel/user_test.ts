/**
 * Without root: what ethox says to an ordinary user, and that a TAP in a user namespace works. The one file is used,
 * since the sources and Deno may lie where only root can read.
 */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { createTap } from "../../nic/linux/tun.ts";
import { ethox, oneFile, type Program } from "../support/ethox.ts";
import { makeTap, peer, peerTest, TAP } from "../support/peer.ts";

const NOBODY = 65_534;
const AS_NOBODY = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];

/** ethox as a user without any rights, with a cache of its own. */
const nobodysEthox: Program = {
  name: "one file, as nobody",
  command: async () => {
    const file = (await oneFile.command()).at(-1)!;
    const cache = `${dirname(file)}/nobody`;
    await Deno.mkdir(cache, { recursive: true });
    await Deno.chown(cache, NOBODY, NOBODY);
    return [...AS_NOBODY, "env", `XDG_CACHE_HOME=${cache}`, file];
  },
};

/** A mount namespace in which any user may open /dev/net/tun, as most distributions have it everywhere. */
const OPEN_DEVICE = "mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200";

/** In a fresh network namespace: makes a TAP with ip, serves on it, pings. `$@` is ethox. */
const SERVE_AND_PING = `
  ip tuntap add ${TAP} mode tap
  ip addr add 10.0.0.2/24 dev ${TAP}
  ip link set ${TAP} up
  "$@" serve ping --nic tap:${TAP} --addr 10.0.0.1/24 --quiet --duration 300s &
  ping -q -n -c 3 -i 0.2 -w 30 10.0.0.1
  kill -TERM $!
  wait $!
`;

/** Why this process cannot be another user; undefined: it can. */
async function problem(): Promise<string | undefined> {
  const probe = `${OPEN_DEVICE} && exec ${AS_NOBODY.join(" ")} unshare -Urn sh -c "exec 3<>/dev/net/tun"`;
  const { code, stderr } = await peer("unshare", ["-m", "sh", "-c", probe]);
  return code === 0 ? undefined : stderr.trim().split("\n")[0];
}

const reason = await problem();

function userTest(name: string, body: () => Promise<void>): void {
  if (reason === undefined) peerTest(name, ["ip", "ping"], oneFile, body);
  else Deno.test.ignore(`${name} [skipped: ${reason}]`, () => {});
}

async function assertServes(...command: string[]): Promise<void> {
  const [program = "", ...args] = command;
  const { code, stdout, stderr } = await peer(program, args);
  assert.match(stdout, /\d packets transmitted, 3 received/, stderr);
  assert.equal(code, 0, stderr);
}

userTest("user: who may not open the device gets status 3 and the mend, in one line", async () => {
  makeTap();
  const { code, stderr } = await ethox(nobodysEthox, "serve", "--nic", `tap:${TAP}`, "--addr", "10.0.0.1/24");
  assert.match(
    stderr,
    /^ethox: tap0: \/dev\/net\/tun cannot be opened [^\n]*; run as root, [^\n]*chmod 0666[^\n]*\n$/,
  );
  assert.equal(code, 3);
});

userTest(
  "user: who may open the device but not use the TAP gets status 3 and the mend, in one line",
  async () => {
    // Without an owner, whoever may open the device may attach.
    createTap(TAP, { owner: 0 });
    const command = [
      ...await nobodysEthox.command(),
      "serve",
      "--nic",
      `tap:${TAP}`,
      "--addr",
      "10.0.0.1/24",
    ];
    const { code, stderr } = await peer("unshare", [
      "-m",
      "sh",
      "-c",
      `${OPEN_DEVICE} && exec "$@"`,
      "sh",
      ...command,
    ]);
    assert.match(stderr, /^ethox: tap0: this user may not attach to it; [^\n]*unshare -Urn[^\n]*\n$/);
    assert.equal(code, 3);
  },
);

userTest("user: nobody serves a TAP in a user namespace", async () => {
  const [...command] = await nobodysEthox.command();
  const inner = command.splice(AS_NOBODY.length);
  const user = [...AS_NOBODY, "unshare", "-Urn", "sh", "-ec", SERVE_AND_PING, "sh", ...inner];
  await assertServes("unshare", "-m", "sh", "-c", `${OPEN_DEVICE} && exec "$@"`, "sh", ...user);
});

peerTest("user: root of a user namespace serves a TAP in it", ["ip", "ping"], oneFile, async () => {
  await assertServes("unshare", "-Urn", "sh", "-ec", SERVE_AND_PING, "sh", ...await oneFile.command());
});
