import assert from "node:assert/strict";
import { VERSION } from "../../apps/version.ts";
import { NicError } from "../../nic/error.ts";
import { parseNicSpec } from "../../nic/spec.ts";
import { assertComplaint, ethox } from "../support/command.ts";

const ADDR = ["--addr", "10.0.0.1/24"];

/** Arguments, the exit status, and what the one line on stderr must say. */
const WRONG: readonly (readonly [readonly string[], number, RegExp])[] = [
  [
    [],
    2,
    /no command.*serve, ping, traceroute, arp, curl, iperf3, resolve, dump, forward, ctl, addr, route, neigh, nics, demo, completion/,
  ],
  [["help", "frobnicate"], 2, /unknown command 'frobnicate'.*serve, ping/],
  [["frobnicate"], 2, /unknown command 'frobnicate'.*serve, ping/],
  [["pnig", "10.0.0.2"], 2, /unknown command 'pnig'.*Did you mean ping\?/],
  [["serve", "--frob"], 2, /unknown option '--frob'.*--help/],
  [["serve", "--nic"], 2, /--nic <spec>.*argument missing/],
  [["serve", "smtp", ...ADDR], 2, /no service "smtp".*allowed is ping/],
  [["serve", "ping", "gopher", ...ADDR], 2, /no service "gopher"/],
  [["serve"], 2, /--addr is missing.*10\.0\.0\.1\/24/],
  [["serve", "--addr", "10.0.0.300/24"], 2, /--addr: "10\.0\.0\.300".*column 8.*write ADDRESS\/PREFIX/],
  [["serve", "--addr", "10.0.0.1"], 2, /--addr: .*no prefix length.*10\.0\.0\.1\/24/],
  [["serve", "--addr", "10.0.0.1/33"], 2, /--addr: .*0 to 32/],
  [["serve", "--addr", "10.0.0.255/24"], 2, /--addr: 10\.0\.0\.255\/24 cannot be a host's address/],
  [["serve", "--addr", "127.0.0.1/8"], 2, /--addr: 127\.0\.0\.1\/8 is a loopback address/],
  [["serve", "--addr", "::1/128"], 2, /--addr: ::1\/128 is a loopback address/],
  [
    ["serve", ...ADDR, "--tunnel", "gre:10.0.0.2,127.0.0.1/8"],
    2,
    /--tunnel: 127\.0\.0\.1\/8 is a loopback address/,
  ],
  [["serve", "--addr", "224.0.0.1/24"], 2, /--addr: .*cannot be a host's address/],
  [["serve", "--addr", "2001:db8::1"], 2, /--addr: "2001:db8::1" has no prefix length/],
  [["serve", "--addr", "ff02::1/64"], 2, /--addr: .*cannot be a host's address/],
  [["serve", ...ADDR, "--temporary"], 2, /--temporary: .*add --addr slaac/],
  [["serve", "--addr", "slaac", "--nic", "tun:tun0"], 2, /--addr: tun:tun0 has no hardware addresses/],
  [["serve", ...ADDR, "--gateway", "10.0.1.1"], 2, /--gateway: 10\.0\.1\.1 is on no subnet.*10\.0\.0\.1\/24/],
  [["serve", ...ADDR, "--gateway", "10.0.0.1"], 2, /--gateway: .*our own address/],
  [["serve", ...ADDR, "--gateway", "gate"], 2, /--gateway: "gate" is not an IP address/],
  [["serve", ...ADDR, "--mac", "02:00:00:00:00"], 2, /--mac: .*six pairs/],
  [["serve", ...ADDR, "--mac", "01:00:00:00:00:01"], 2, /--mac: .*unicast/],
  [["serve", ...ADDR, "--nic", "eth0"], 2, /--nic: "eth0" names no NIC: write tap:NAME.*link:/],
  [["serve", ...ADDR, "--nic", "net:eth0"], 2, /--nic: "net:eth0" names no NIC: write tap:NAME.*link:/],
  [["serve", ...ADDR, "--nic", "link:x"], 2, /--nic: "link:x" names no NIC/],
  [
    ["serve", ...ADDR, "--nic", "tun:tun0,mtu=9"],
    2,
    /--nic: "tun:tun0,mtu=9": this kind of NIC has no option mtu/,
  ],
  [["serve", ...ADDR, "--nic", "tun:tun0", "--mac", "02::1"], 2, /--mac: /],
  [
    ["serve", ...ADDR, "--nic", "tun:tun0", "--mac", "02:00:00:00:00:01"],
    2,
    /--mac: tun:tun0 has no hardware addr/,
  ],
  [
    ["arp", "10.0.0.2", ...ADDR, "--nic", "tun:tun0"],
    2,
    /--nic: tun:tun0 has no hardware addresses to ask for/,
  ],
  [
    ["serve", ...ADDR, "--nic", "tap:"],
    2,
    /--nic: "tap:": "" is no name for an interface; use 1 to 15 bytes/,
  ],
  [
    ["serve", ...ADDR, "--nic", "tap:much-too-long-a-name"],
    2,
    /--nic: "tap:much-too-long-a-name": "much-too-long-a-name" is no name for an interface; use 1 to 15 bytes/,
  ],
  [["serve", ...ADDR, "--workers", "0"], 2, /--workers: .*1 to 16/],
  [["serve", ...ADDR, "--workers", "17"], 2, /--workers: .*1 to 16/],
  [["serve", "--workers", "2", "--nic", "link:"], 2, /--workers: a wire in memory has no queues/],
  [["serve", ...ADDR, "--workers", "2", "--pcap", "x"], 2, /--pcap: not together .*tcpdump -i tap0 -w/],
  [["serve", ...ADDR, "--workers", "2", "--fault", "loss=1%"], 2, /--fault: not together .*netem/],
  [["serve", ...ADDR, "--workers", "2", "--verbose"], 2, /--verbose: not together .*tcpdump/],
  [
    ["serve", ...ADDR, "--workers", "2", "--tunnel", "ipip:10.0.0.2,10.9.0.1/30"],
    2,
    /--tunnel: not together with --workers/,
  ],
  [["serve", ...ADDR, "--duration", "5"], 2, /--duration: "5".*as in 500ms/],
  [["serve", ...ADDR, "--duration", "-1s"], 2, /--duration/],
  [["serve", ...ADDR, "--duration", "0s"], 2, /--duration: "0s" is out of range; allowed is 1ms to/],
  [["serve", ...ADDR, "--duration", "9999h"], 2, /--duration: "9999h" is out of range/],
  [["serve", ...ADDR, "--count", "0"], 2, /--count: "0" is not allowed.*1 to/],
  [["serve", ...ADDR, "--count", "1.5"], 2, /--count: "1\.5".*whole number/],
  [["serve", ...ADDR, "--quiet", "--verbose"], 2, /cannot be used with/],
  [["serve", "--nic", "link:", "--addr", "10.0.0.1/32"], 2, /--addr: .*no room for the neighbour/],
  [["ping"], 2, /missing required argument 'host'/],
  [["ping", "10.0.0.2", "10.0.0.3", ...ADDR], 2, /too many arguments/],
  // In a network that nobody has, so that no server of this machine is in it.
  [
    ["ping", "example.org", "--addr", "192.0.2.1/30"],
    2,
    /HOST: to look names up, name a DNS server, as in --dns/,
  ],
  [["ping", "a..b", ...ADDR, "--dns", "10.0.0.2"], 2, /HOST: "a\.\.b" is neither an address nor a name/],
  [["ping", "example.org", ...ADDR, "--dns", "nine"], 2, /--dns: "nine" is not an IP address/],
  [["traceroute", "example.org", "--addr", "192.0.2.1/30"], 2, /HOST: to look names up, name a DNS server/],
  [["ping", "-6", "10.0.0.2", ...ADDR], 2, /HOST: 10\.0\.0\.2 is no address of IPv6; leave -6 out/],
  [
    ["traceroute", "-4", "fd00::2", "--addr", "fd00::1/64"],
    2,
    /HOST: fd00::2 is no address of IPv4; leave -4/,
  ],
  [["curl", "-4", "http://[fd00::2]/", "--addr", "fd00::1/64"], 2, /URL: fd00::2 is no address of IPv4/],
  [["iperf3", ...ADDR], 2, /iperf3: write -s to be the server, or -c HOST to be a client of one/],
  [["iperf3", "-s", "-c", "10.0.0.2", ...ADDR], 2, /cannot be used with/],
  [["iperf3", "-s", "-t", "5", ...ADDR], 2, /--time: this option is a client's; .*leave it out/],
  [["iperf3", "-s", "-N", ...ADDR], 2, /--no-delay: this option is a client's/],
  [["iperf3", "-c", "10.0.0.2", "-1", ...ADDR], 2, /--one-off: this option is the server's; leave it out/],
  [["iperf3", "-c", "10.0.0.2", "-t", "5", "-n", "1M", ...ADDR], 2, /cannot be used with/],
  [["iperf3", "-c", "10.0.0.2", "-n", "5", "-k", "1M", ...ADDR], 2, /cannot be used with/],
  [["iperf3", "-c", "10.0.0.2", "-R", "--bidir", ...ADDR], 2, /cannot be used with/],
  [["iperf3", "-c", "10.0.0.2", "-t", "0", ...ADDR], 2, /--time: "0" is out of range/],
  [["iperf3", "-c", "10.0.0.2", "-t", "25h", ...ADDR], 2, /--time: "25h" is out of range; .*86400 s/],
  [["iperf3", "-c", "10.0.0.2", "-b", "fast", ...ADDR], 2, /--bitrate: "fast" is not allowed; .*10M/],
  [["iperf3", "-c", "10.0.0.2", "-P", "129", ...ADDR], 2, /--parallel: .*1 to 128/],
  [
    ["iperf3", "-c", "10.0.0.2", "-u", "-l", "64K", ...ADDR],
    2,
    /--length: no datagram has 65536 bytes.*65507/,
  ],
  [["iperf3", "-c", "10.0.0.2", "-l", "2M", ...ADDR], 2, /--length: "2M" is not allowed.*1048576/],
  [["iperf3", "-6", "-c", "10.0.0.2", ...ADDR], 2, /--client: 10\.0\.0\.2 is no address of IPv6; leave -6/],
  [["iperf3", "-c", "a..b", ...ADDR], 2, /--client: "a\.\.b" is neither an address nor a name/],
  [["iperf3", "-s", "-p", "0", ...ADDR], 2, /--port: .*1 to 65535/],
  [["ping", "-4", "-6", "10.0.0.2", ...ADDR], 2, /cannot be used with/],
  [["resolve", "example.org", "--addr", "192.0.2.1/30"], 2, /resolve: no DNS server is known.*--dns/],
  [["resolve", "example.org", "XYZ", ...ADDR], 2, /TYPE: "XYZ" is no type of records; allowed is A, /],
  [
    ["resolve", "bücher.example", "--nic", "link:", "--dns", "10.0.0.9", "-W", "20ms"],
    1,
    /xn--bcher-kva\.example: no answer in time/,
  ],
  [
    ["resolve", "bücher.local", "--nic", "link:", "--dns", "10.0.0.9", "-W", "20ms"],
    1,
    /: bücher\.local: no/,
  ],
  [["resolve", "bücher.example/x", ...ADDR, "--dns", "10.0.0.2"], 2, /NAME: "bücher\.example\/x" is no name/],
  [["ping", "bücher.example/x", ...ADDR], 2, /HOST: "bücher\.example\/x" is neither an address nor a name/],
  [["resolve", "a..b", ...ADDR, "--dns", "10.0.0.2"], 2, /NAME: "a\.\.b" is no name/],
  [["ping", "fe80::1", ...ADDR], 2, /HOST: there is no way to fe80::1/],
  [["ping", "127.0.0.1", ...ADDR], 2, /HOST: 127\.0\.0\.1 is no address of a host/],
  [["ping", "224.0.0.1", ...ADDR], 2, /HOST: 224\.0\.0\.1 is no address of a host/],
  [["ping", "10.0.0.1", ...ADDR], 2, /HOST: 10\.0\.0\.1 is our own/],
  [["ping", "10.0.0.255", ...ADDR], 2, /HOST: 10\.0\.0\.255 is a broadcast address/],
  [["ping", "10.0.1.1", ...ADDR], 2, /HOST: there is no way to 10\.0\.1\.1.*10\.0\.0\.1\/24.*--gateway/],
  [
    ["ping", "10.0.0.2", ...ADDR, "--interval", "10us"],
    2,
    /--interval: "10us" is out of range; allowed is 1ms/,
  ],
  [["ping", "10.0.0.2", ...ADDR, "--interval", "fast"], 2, /--interval: "fast"/],
  [["ping", "10.0.0.2", ...ADDR, "--size", "70000"], 2, /--size: "70000" is not allowed.*0 to 65507/],
  [
    ["arp", "fd00::2", "--addr", "fd00::1/64"],
    2,
    /HOST: fd00::2 is of IPv6, and ARP asks for IPv4's; .*10\.0\.0\.2/,
  ],
  [
    ["arp", "10.0.1.1", ...ADDR],
    2,
    /HOST: there is no way to 10\.0\.1\.1; write a host of 10\.0\.0\.1\/24\n$/,
  ],
  [["dump", "one", "two"], 2, /too many arguments/],
  [["dump", ...ADDR], 2, /unknown option '--addr'/],
  [["forward", "--nic", "tap:a", "--addr", "10.0.0.1/24"], 2, /--nic: a router needs two/],
  [["forward", "--addr", "10.0.0.1/24"], 2, /--addr: it belongs to the --nic before it/],
  [["forward", "--nic", "tap:a", "--nic", "tap:a"], 2, /tap:a is written twice/],
  [["forward", "--nic", "link:"], 2, /link: leads nowhere/],
  [["forward", "--route", "10.0.0.0/8"], 2, /--route: .*write NETWORK,GATEWAY/],
  [["serve", ...ADDR, "--tunnel", "ipip"], 2, /--tunnel: .* names no tunnel; write KIND:REMOTE/],
  [["serve", ...ADDR, "--tunnel", "gre:10.0.0.2"], 2, /--tunnel: .* has no address inside/],
  [["serve", ...ADDR, "--tunnel", "gre:10.0.0.2,10.9.0.1"], 2, /--tunnel: .*prefix length/],
  [["ctl", "addr"], 2, /required option '--ctl <path>' not specified/],
  [["nics", "--nic", "link:"], 2, /unknown option '--nic'/],
  [["demo", "--nic", "link:"], 2, /unknown option '--nic'/],
  [["completion", "csh"], 2, /completion: there is none for "csh"; allowed is bash, zsh, fish/],
];

for (const [args, status, complaint] of WRONG) {
  Deno.test(`command: "${["ethox", ...args].join(" ")}" is refused in one line with status ${status}`, async () => {
    const run = await ethox(args);
    assertComplaint(run, complaint);
    assert.equal(run.status, status);
    assert.equal(run.out, "");
  });
}

const COMMANDS = [
  "serve",
  "ping",
  "arp",
  "curl",
  "iperf3",
  "dump",
  "forward",
  "ctl",
  "addr",
  "route",
  "neigh",
  "nics",
  "demo",
  "completion",
];

Deno.test("command: --help names every command and the exit statuses, on stdout, with status 0", async () => {
  const { status, out, err } = await ethox(["--help"]);
  assert.equal(status, 0);
  assert.equal(err, "");
  for (const name of COMMANDS) assert.match(out, new RegExp(`^  ${name} `, "m"));
  assert.match(out, /0 done, 1 failed at run time, 2 wrong usage, 3 the NIC cannot be opened/);
});

for (const name of COMMANDS) {
  Deno.test(`command: the help of ${name} has examples, each of which is a command that exists`, async () => {
    const { status, out } = await ethox([name, "--help"]);
    assert.equal(status, 0);
    assert.equal((await ethox(["help", name])).out, out);
    const examples = out.slice(out.indexOf("\nExamples:\n")).match(/ethox [a-z\d]+/g) ?? [];
    assert.ok(examples.length >= 2, out);
    for (const example of examples) assert.equal(example, `ethox ${name}`);
    assert.doesNotMatch(out, /--inside/);
    for (const line of out.split("\n")) assert.ok(line.length <= 110, line);
  });
}

Deno.test("command: --version prints the version that deno.json has", async () => {
  const config = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  assert.equal(VERSION, config.version);
  assert.deepEqual(await ethox(["--version"]), { status: 0, out: `${VERSION}\n`, err: "" });
});

Deno.test("nic: a specification is read, and its name is checked before anything is opened", () => {
  assert.deepEqual(parseNicSpec("tap:tap0"), { kind: "tap", name: "tap0" });
  assert.deepEqual(parseNicSpec("link:"), { kind: "link" });
  assert.throws(() => parseNicSpec("tap:a/b"), NicError);
  for (const text of ["", "tap", ":", "net:eth0", "link:0", "TAP:tap0"]) {
    assert.throws(() => parseNicSpec(text), SyntaxError, text);
  }
});
