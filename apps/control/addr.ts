/** `addr`: the own addresses. */
import type { Address, Cidr } from "../../mod.ts";
import { messageOf } from "../cli/errors.ts";
import { checkHostAddress } from "../host-address.ts";
import { pause } from "../cli/stop.ts";
import { type ControlCommand, type ControlledHost, type Row, SILENT } from "./command.ts";
import { needed, RequestError } from "./request.ts";
import { Words } from "./words.ts";

/** How long the resets of connections may take to leave before their address goes, and how often that is looked at. */
const PARTING = { most: 500, step: 2 };

function row(cidr: Cidr): Row {
  const { address, prefix, broadcast } = cidr;
  return {
    family: address.isV4 ? "inet" : "inet6",
    address: String(address),
    prefix,
    ...(broadcast && { broadcast: String(broadcast) }),
  };
}

const oneWord = (what: string, form: string) => (words: readonly string[]): Row => {
  const reader = new Words(words, form);
  const address = reader.needed(what);
  reader.end();
  return { address };
};

/** Ends the connections on an address, lets their peers know, then takes it away. */
async function remove({ appliance }: ControlledHost, address: Address): Promise<number> {
  const { ip, tcp, nic } = appliance;
  const connections = [...tcp.list()].filter((one) => one.local.equals(address)).length;
  const end = new AbortController();
  for (let waited = 0; tcp.abortOn(address) > 0 && waited < PARTING.most; waited += PARTING.step) {
    nic.wake();
    await pause(PARTING.step, end.signal);
  }
  const isGone = ip.addresses.remove(address);
  tcp.abortOn(address, false);
  if (!isGone) throw new RequestError(`${address} is not an address of ours any more`);
  return connections;
}

export const addr: readonly ControlCommand[] = [
  {
    name: "addr show",
    form: "",
    meaning: "list the own addresses",
    fields: (words) => {
      new Words(words, "addr show").end();
      return {};
    },
    run: ({ appliance }) => [...appliance.ip.addresses].map(row),
    lines: (rows) =>
      rows.map(({ family, address, prefix, broadcast }) => {
        return `${family} ${address}/${prefix}${broadcast === undefined ? "" : ` brd ${broadcast}`}`;
      }),
  },
  {
    name: "addr add",
    form: "ADDRESS/PREFIX",
    meaning: "take one more address",
    fields: oneWord("the address", "addr add ADDRESS/PREFIX"),
    run: ({ appliance }, fields) => {
      const cidr = needed(fields.cidr("address"), "address");
      fields.end();
      const { addresses } = appliance.ip;
      if (addresses.owns(cidr.address)) throw new RequestError(`${cidr.address} is ours already`);
      try {
        checkHostAddress(cidr);
      } catch (error) {
        throw new RequestError(`address: ${messageOf(error)}`);
      }
      addresses.add(cidr);
      return [row(cidr)];
    },
    lines: SILENT,
  },
  {
    name: "addr del",
    form: "ADDRESS[/PREFIX]",
    meaning: "give an address up; connections on it are reset",
    fields: oneWord("the address", "addr del ADDRESS"),
    run: async (host, fields) => {
      const { address } = needed(fields.cidr("address"), "address");
      fields.end();
      if (!host.appliance.ip.addresses.owns(address)) {
        throw new RequestError(`${address} is no address of ours; addr show lists them`);
      }
      return [{ address: String(address), connections: await remove(host, address) }];
    },
    lines: SILENT,
  },
];
