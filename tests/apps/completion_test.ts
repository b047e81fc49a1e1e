import assert from "node:assert/strict";
import { ethox } from "../support/command.ts";

/** What bash offers after these words, the last of which is being typed. */
async function complete(...words: string[]): Promise<string[]> {
  const { out } = await ethox(["completion", "bash"]);
  const quoted = words.map((word) => `'${word}'`).join(" ");
  const script = `${out}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _ethox; ` +
    'printf "%s\\n" "${COMPREPLY[@]}"';
  const command = new Deno.Command("bash", { args: ["--norc", "-euc", script] });
  const { success, stdout, stderr } = await command.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).split("\n").filter((word) => word !== "");
}

Deno.test("completion: bash completes commands, options, and the values that are known", async () => {
  assert.deepEqual(await complete("ethox", "s"), ["serve"]);
  assert.deepEqual((await complete("ethox", "")).filter((word) => !word.startsWith("-")), [
    "serve",
    "ping",
    "traceroute",
    "arp",
    "curl",
    "iperf3",
    "resolve",
    "dump",
    "forward",
    "ctl",
    "addr",
    "route",
    "neigh",
    "nics",
    "demo",
    "completion",
  ]);
  assert.deepEqual(await complete("ethox", "ping", "--in"), ["--interval"]);
  assert.deepEqual(await complete("ethox", "ping", "--nic", ""), ["tap:", "tun:", "raw:", "xdp:", "link:"]);
  assert.deepEqual(await complete("ethox", "serve", "--congestion", ""), [
    "cubic",
    "cubic+",
    "newreno",
    "bbr",
  ]);
  assert.deepEqual(await complete("ethox", "serve", "--addr", ""), ["dhcp", "slaac", "link-local"]);
  assert.deepEqual(await complete("ethox", "ping", "--count", ""), []);
  assert.deepEqual(await complete("ethox", "completion", "z"), ["zsh"]);
  assert.deepEqual(await complete("ethox", "demo", "--"), ["--link", "--json", "--help"]);
  assert.deepEqual(await complete("ethox", "frobnicate", ""), []);
});

Deno.test("completion: a NIC whose colon bash takes for the end of a word is completed behind it", async () => {
  assert.deepEqual(await complete("ethox", "serve", "--nic", "l"), ["link:"]);
  assert.deepEqual(await complete("ethox", "serve", "--nic", "link", ":", "--jso"), ["--json"]);
});

for (const shell of ["zsh", "fish"]) {
  Deno.test(`completion: the script for ${shell} names every command and option, and ${shell} can read it`, async () => {
    const { status, out } = await ethox(["completion", shell]);
    assert.equal(status, 0);
    for (const word of ["serve", "completion", "interval", "gateway"]) assert.ok(out.includes(word), word);
    try {
      const file = await Deno.makeTempFile();
      await Deno.writeTextFile(file, out);
      const { success, stderr } = await new Deno.Command(shell, { args: ["-n", file] }).output();
      await Deno.remove(file);
      assert.ok(success, new TextDecoder().decode(stderr));
    } catch (error) {
      // Where the shell is not installed, the text is all that can be looked at.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  });
}

Deno.test("completion: bash completes services, and files where a file is wanted", async () => {
  const directory = await Deno.makeTempDir();
  await Deno.writeTextFile(`${directory}/some.pcapng`, "");
  assert.deepEqual(await complete("ethox", "serve", "udp"), ["udp-echo"]);
  for (
    const words of [["serve", "--pcap"], ["serve", "--leases"], ["curl", "-o"], ["dump", "--filter"], [
      "dump",
    ]]
  ) {
    assert.deepEqual(await complete("ethox", ...words, `${directory}/so`), [`${directory}/some.pcapng`]);
  }
  await Deno.remove(directory, { recursive: true });
});
