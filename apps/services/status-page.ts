/** The page of `http`: what the host is and what has passed it. */
import type { Appliance } from "../appliance.ts";
import { words } from "../cli/format.ts";
import { layers } from "../report.ts";

const STYLE = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:40rem;padding:0 1rem}" +
  "td{padding-right:2rem}td+td{text-align:right;font-variant-numeric:tabular-nums}";

/** A page about the host, which has been up for `seconds`. Nothing in it comes from a request. */
export function statusPage(host: Appliance, seconds: number): string {
  const { ip, tcp, census } = host;
  const who = census === undefined
    ? ""
    : `, on ${census.workers} workers, of which number ${census.worker} has answered`;
  const rows = (census?.layers() ?? layers(host)).flatMap(([layer, counters]) => {
    const entries: [string, number][] = Object.entries(counters);
    return entries.filter(([, value]) => value > 0).map(([name, value]) =>
      row(`${layer}: ${words(name)}`, value)
    );
  });
  return `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>ethox</title><style>${STYLE}</style>` +
    `<h1>ethox</h1><p>A TCP/IP stack in a program of its own, at ${
      [...ip.addresses].join(", ")
    }${who}.</p><table>` +
    row("up, in seconds", Math.trunc(seconds)) +
    row(census === undefined ? "TCP connections" : "TCP connections of this worker", tcp.connections.size) +
    row("TCP connections, at most", tcp.options.connections) +
    `${rows.join("")}</table></html>\n`;
}

function row(name: string, value: number): string {
  return `<tr><td>${name}<td>${value}`;
}
