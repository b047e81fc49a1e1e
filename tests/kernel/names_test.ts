/** Names, as dnsmasq knows them: `resolve`, `curl`, `ping`, and what DHCP says of DNS. */
import assert from "node:assert/strict";
import { Stack } from "../../mod.ts";
import { assertComplaint, ethox, events } from "../support/command.ts";
import { Dnsmasq } from "../support/dnsmasq.ts";
import { run, sysctl } from "../support/netns.ts";
import { KERNEL, makeTap, peerTest, TAP } from "../support/peer.ts";

const ADDR = ["--addr", "10.0.0.1/24", "--dns", KERNEL];
const LONG = "x".repeat(250);

/** A DNS server without a server above it. */
function dns(...more: string[]): Promise<Dnsmasq> {
  return Dnsmasq.start(
    "--local=/example/",
    "--host-record=box.example,10.0.0.2,2001:db8::2",
    "--cname=www.example,box.example",
    "--mx-host=example,mx.example,10",
    "--txt-record=text.example,one,two words",
    ...Array.from({ length: 20 }, (_, n) => `--txt-record=big.example,${n}${LONG}`),
    "--srv-host=_http._tcp.example,box.example,80,1,2",
    "--ptr-record=7.0.0.10.in-addr.arpa,seven.example",
    ...more,
  );
}

peerTest("resolve: records of every kind, as dig prints them", ["dnsmasq"], undefined, async () => {
  makeTap();
  await using _dns = await dns();
  const short = async (...args: string[]) => {
    const { status, out, err } = await ethox(["resolve", ...args, "--short", ...ADDR]);
    assert.deepEqual([status, err], [0, ""]);
    return out.trim().split("\n");
  };
  assert.deepEqual(await short("box.example"), ["10.0.0.2"]);
  assert.deepEqual(await short("box.example", "AAAA"), ["2001:db8::2"]);
  assert.deepEqual(await short("WWW.example", "a"), ["10.0.0.2"]);
  assert.deepEqual(await short("example", "MX"), ["10 mx.example."]);
  assert.deepEqual(await short("text.example", "TXT"), ['"one" "two words"']);
  assert.deepEqual(await short("_http._tcp.example", "SRV"), ["1 2 80 box.example."]);
  assert.deepEqual(await short("10.0.0.7"), ["seven.example."]);
  const whole = await ethox(["resolve", "www.example", `@${KERNEL}`, "--addr", "10.0.0.1/24"]);
  assert.match(whole.out, /^;; status: NOERROR, flags: qr aa rd ra\n;www\.example\. IN A\n\n;; ANSWER:\n/);
  assert.match(
    whole.out,
    /^www\.example\. +\d+ +IN +CNAME +box\.example\.\nbox\.example\. +\d+ +IN +A +10\.0\.0\.2$/m,
  );
});

peerTest(
  "resolve: what there is not, and a server that is none, are status 1",
  ["dnsmasq"],
  undefined,
  async () => {
    makeTap();
    await using _dns = await dns();
    const [none, [, answer]] = await events(["resolve", "none.example", ...ADDR]);
    assert.deepEqual([none.status, answer?.["status"], answer?.["code"]], [1, "no-name", "NXDOMAIN"]);
    const [empty, [, nothing]] = await events(["resolve", "box.example", "TXT", ...ADDR]);
    assert.deepEqual([empty.status, nothing?.["status"], nothing?.["code"]], [1, "no-data", "NOERROR"]);
    const silent = await ethox([
      "resolve",
      "box.example",
      "--addr",
      "10.0.0.1/24",
      "--dns",
      "10.0.0.9",
      "-W",
      "300ms",
    ]);
    assertComplaint(silent, /box\.example: no answer in time/);
    assert.equal(silent.status, 1);
    const closed = await ethox(["resolve", "box.example", ...ADDR, "--port", "5300"]);
    assert.deepEqual([closed.status, closed.err], [1, ""]);
    assert.match(closed.out, /no answer from 10\.0\.0\.2/);
  },
);

peerTest("resolve: five kilobytes of text come over TCP (RFC 7766)", ["dnsmasq"], undefined, async () => {
  makeTap();
  await using server = await dns();
  const { status, out } = await ethox(["resolve", "big.example", "TXT", "--short", ...ADDR]);
  assert.equal(status, 0);
  assert.deepEqual(
    out.trim().split("\n").map((line) => line.length).sort(),
    Array(20).fill(0).map((_, n) => {
      return LONG.length + (n < 10 ? 3 : 4);
    }).sort(),
  );
  await server.logged(/query\[TXT\] big\.example[^]*query\[TXT\] big\.example/);
});

peerTest(
  "curl and ping by name, with the DNS server and the domain of DHCP",
  ["dnsmasq"],
  undefined,
  async () => {
    makeTap();
    await using _dns = await dns("--dhcp-range=10.0.0.50,10.0.0.60,255.255.255.0,10m", "--domain=example");
    await using _web = Deno.serve({ hostname: KERNEL, port: 8_000, onListen: () => {} }, (request) => {
      return new Response(`for ${request.headers.get("host")}\n`);
    });
    for (const options of [["--addr", "dhcp"], ADDR]) {
      const curl = await ethox(["curl", "http://www.example:8000/", ...options]);
      assert.deepEqual([curl.status, curl.out, curl.err], [0, "for www.example:8000\n", ""]);
      const ping = await ethox(["ping", "www.example", ...options, "-c", "2", "-i", "50ms", "-W", "20s"]);
      assert.deepEqual([ping.status, ping.err], [0, ""]);
      assert.match(ping.out, /^PING www\.example \(10\.0\.0\.2\) 56\(84\) bytes of data\.\n/);
      const none = await ethox(["ping", "none.example", ...options, "-c", "1"]);
      assertComplaint(none, /none\.example cannot be resolved: there is no such name/);
      assert.equal(none.status, 1);
    }
    assert.match((await ethox(["ping", "box", "--addr", "dhcp", "-c", "1"])).out, /PING box \(10\.0\.0\.2\)/);
    const none = await ethox(["curl", "http://none.example/", ...ADDR]);
    assertComplaint(none, /cannot resolve none\.example: there is no such name/);
    assert.equal(none.status, 6);
  },
);

peerTest(
  "--addr slaac: routers' prefix, DNS server and domain are enough to fetch a page by name, over IPv6 (RFC 4862, 8106)",
  ["dnsmasq", "ip"],
  undefined,
  async () => {
    makeTap();
    sysctl(`net/ipv6/conf/${TAP}/disable_ipv6`, "0");
    await run("ip", "addr", "add", "2001:db8::2/64", "dev", TAP, "nodad");
    await using _dns = await dns(
      "--enable-ra",
      "--dhcp-range=2001:db8::,ra-only,64",
      "--ra-param=tap0,4,60",
      "--dhcp-option=option6:dns-server,[2001:db8::2]",
      "--dhcp-option=option6:domain-search,example",
    );
    await using _web = Deno.serve(
      { hostname: "2001:db8::2", port: 8_000, onListen: () => {} },
      (_request, info) => {
        return new Response(info.remoteAddr.transport === "tcp" ? `${info.remoteAddr.hostname}\n` : "");
      },
    );
    const page = await ethox(["curl", "http://www.example:8000/", "--addr", "slaac", "-v"]);
    assert.deepEqual([page.status, page.out.slice(0, 10)], [0, "2001:db8::"], page.err);
    const literal = await ethox(["curl", "http://[2001:db8::2]:8000/", "--addr", "2001:db8::1/64"]);
    assert.deepEqual([literal.status, literal.out, literal.err], [0, "2001:db8::1\n", ""]);
    const ping = await ethox(["ping", "box", "--addr", "slaac", "-c", "1"]);
    assert.match(ping.out, /^PING box \(2001:db8::2\)/, ping.err);
  },
);

peerTest(
  "ping, traceroute and curl take a name, and -4 or -6 says over which family",
  ["dnsmasq", "ip"],
  undefined,
  async () => {
    makeTap();
    sysctl(`net/ipv6/conf/${TAP}/disable_ipv6`, "0");
    await run("ip", "addr", "add", "2001:db8::2/64", "dev", TAP, "nodad");
    await using _dns = await dns();
    await using _web = Deno.serve(
      { hostname: "::", port: 8_000, onListen: () => {} },
      (_request, info) => new Response(info.remoteAddr.transport === "tcp" ? info.remoteAddr.hostname : ""),
    );
    const both = [...ADDR, "--addr", "2001:db8::1/64"];
    for (
      const [flag, theirs, ours] of [["-4", "10.0.0.2", "10.0.0.1"], [
        "-6",
        "2001:db8::2",
        "2001:db8::1",
      ]] as const
    ) {
      const ping = await ethox(["ping", "box.example", flag, ...both, "-c", "1", "-W", "20s"]);
      assert.deepEqual([ping.status, ping.err], [0, ""]);
      assert.ok(ping.out.startsWith(`PING box.example (${theirs}) `), ping.out);
      const trace = await ethox([
        "traceroute",
        "box.example",
        flag,
        ...both,
        "-q",
        "1",
        "-N",
        "1",
        "-w",
        "20s",
      ]);
      assert.deepEqual([trace.status, trace.err], [0, ""]);
      assert.ok(trace.out.startsWith(`traceroute to box.example (${theirs}), 30 hops max, `), trace.out);
      const curl = await ethox(["curl", "http://box.example:8000/", flag, ...both]);
      assert.deepEqual([curl.status, curl.err], [0, ""]);
      assert.ok(curl.out.endsWith(ours), curl.out);
    }
    const none = await ethox(["traceroute", "none.example", ...both]);
    assertComplaint(none, /none\.example cannot be resolved: there is no such name/);
    assert.equal(none.status, 1);
  },
);

peerTest(
  "slaac: where routers say that DHCPv6 knows more, it is asked, and answers (RFC 8415 18.2.6)",
  ["dnsmasq", "ip"],
  undefined,
  async () => {
    makeTap();
    sysctl(`net/ipv6/conf/${TAP}/disable_ipv6`, "0");
    await run("ip", "addr", "add", "2001:db8::2/64", "dev", TAP, "nodad");
    await using server = await dns(
      "--enable-ra",
      "--dhcp-range=2001:db8::,ra-stateless,64",
      "--ra-param=tap0,4,60",
      "--dhcp-option=option6:dns-server,[2001:db8::2]",
    );
    const stack = await Stack.open({ nic: `tap:${TAP}`, addresses: ["slaac"] });
    try {
      assert.deepEqual(await stack.resolve("box.example", "AAAA"), ["2001:db8::2"]);
      await server.logged(/DHCPINFORMATION-REQUEST[^]*dns-server\s+2001:db8::2/);
    } finally {
      await stack.close();
    }
  },
);
