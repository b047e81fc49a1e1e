/** What a host tells of itself, and its end. */
import { type ConnectionInfo, stateName } from "../../mod.ts";
import { byteCount, lengthOfTime, table, words as inWords } from "../cli/format.ts";
import { layers } from "../report.ts";
import { type ControlCommand, type Row, SILENT } from "./command.ts";
import { Words } from "./words.ts";

/** Connections in one answer. */
export const CONNECTIONS_MAX = 1_000;

const nothing = (form: string) => (words: readonly string[]): Row => {
  new Words(words, form).end();
  return {};
};

const endpoint = (address: { readonly isV4: boolean }, port: number): string => {
  return address.isV4 ? `${address}:${port}` : `[${address}]:${port}`;
};

const inMilliseconds = (time: number | undefined): number | undefined => {
  return time === undefined ? undefined : Math.round(time) / 1_000;
};

function row(info: ConnectionInfo): Row {
  return {
    state: stateName(info.state),
    local: endpoint(info.local, info.localPort),
    remote: endpoint(info.remote, info.remotePort),
    rttMs: inMilliseconds(info.srtt),
    rttVarianceMs: inMilliseconds(info.rttvar),
    minRttMs: inMilliseconds(info.minRtt),
    rtoMs: inMilliseconds(info.rto),
    congestion: info.congestion,
    cwnd: info.cwnd,
    mss: info.mss,
    sendWindow: info.sendWindow,
    receiveWindow: info.receiveWindow,
    inFlight: info.inFlight,
    unsent: info.unsent,
    retransmitted: info.retransmitted,
    timeouts: info.timeouts,
  };
}

export const show: readonly ControlCommand[] = [
  {
    name: "nic",
    form: "",
    meaning: "tell of the NIC: addresses, MTU, frames",
    fields: nothing("nic"),
    run: ({ appliance, nic: name }) => {
      const { nic, eth } = appliance;
      return [{ nic: name, mac: String(eth.mac), mtu: nic.info.mtu, ...nic.counters }];
    },
    lines: ([nic]) =>
      nic === undefined ? [] : Object.entries(nic).map(([key, value]) => `${inWords(key)} ${value}`),
  },
  {
    name: "counters",
    form: "",
    meaning: "show the counters of all layers",
    fields: nothing("counters"),
    run: ({ appliance }) => layers(appliance).map(([layer, counters]): Row => ({ layer, ...counters })),
    lines: (rows) =>
      table(
        rows.flatMap(({ layer, ...counters }) => {
          const counted = Object.entries(counters).filter(([, value]) => value !== 0);
          return counted.map(([name, value]) => [String(layer), inWords(name), String(value)]);
        }),
        [2],
      ),
  },
  {
    name: "connections",
    form: "",
    meaning: "list the TCP connections with round trip, congestion window and retransmissions",
    fields: nothing("connections"),
    run: ({ appliance }) => {
      const rows: Row[] = [];
      for (const info of appliance.tcp.list()) {
        if (rows.length === CONNECTIONS_MAX) break;
        rows.push(row(info));
      }
      return rows;
    },
    lines: (rows) =>
      rows.length === 0 ? [] : table([
        ["STATE", "LOCAL", "REMOTE", "RTT", "CWND", "IN FLIGHT", "UNSENT", "RETRANS", "TIMEOUTS"],
        ...rows.map((one) => [
          String(one.state),
          String(one.local),
          String(one.remote),
          one.rttMs === undefined ? "-" : lengthOfTime(Number(one.rttMs) * 1_000),
          byteCount(Number(one.cwnd)),
          byteCount(Number(one.inFlight)),
          byteCount(Number(one.unsent)),
          String(one.retransmitted),
          String(one.timeouts),
        ]),
      ], [3, 4, 5, 6, 7, 8]),
  },
  {
    name: "stop",
    form: "",
    meaning: "end the appliance, as SIGTERM does",
    fields: nothing("stop"),
    run: (host, fields) => {
      fields.end();
      host.stop();
      return [];
    },
    lines: SILENT,
  },
];
