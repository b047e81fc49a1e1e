/** `neigh`: the hosts on the link and their hardware addresses. */
import { type NeighbourEntry, NeighbourState } from "../../mod.ts";
import { type ControlCommand, type Row, SILENT } from "./command.ts";
import { needed, RequestError } from "./request.ts";
import { Words } from "./words.ts";

const STATES: ReadonlyMap<number, string> = new Map(
  Object.entries(NeighbourState).map(([name, state]) => [state, name.toLowerCase()]),
);

function row({ address, mac, state }: NeighbourEntry): Row {
  return {
    address: String(address),
    ...(mac && { mac: String(mac) }),
    state: STATES.get(state) ?? String(state),
  };
}

const nothing = (form: string) => (words: readonly string[]): Row => {
  new Words(words, form).end();
  return {};
};

export const neigh: readonly ControlCommand[] = [
  {
    name: "neigh show",
    form: "",
    meaning: "list the neighbours and what is known of them",
    fields: nothing("neigh show"),
    run: ({ appliance }) => [...appliance.ip.neighbours.entries(appliance.nic.now())].map(row),
    lines: (rows) =>
      rows.map(({ address, mac, state }) => {
        return `${address}${mac === undefined ? "" : ` lladdr ${mac}`} ${String(state).toUpperCase()}`;
      }),
  },
  {
    name: "neigh add",
    form: "ADDRESS lladdr MAC",
    meaning: "give a neighbour's hardware address by hand; it stays",
    fields: (words) => {
      const reader = new Words(words, "neigh add ADDRESS lladdr MAC");
      const address = reader.needed("the address");
      return { address, mac: reader.pairs("lladdr").get("lladdr") };
    },
    run: ({ appliance }, fields) => {
      const address = needed(fields.address("address"), "address");
      const mac = needed(fields.mac("mac"), "mac");
      fields.end();
      const { ip } = appliance;
      if (ip.addresses.isForged(address)) throw new RequestError(`${address} is no other host's address`);
      if (!ip.neighbours.setStatic(address, mac)) {
        throw new RequestError(`the cache is full of such entries: it has ${ip.neighbours.capacity}`);
      }
      return [{ address: String(address), mac: String(mac) }];
    },
    lines: SILENT,
  },
  {
    name: "neigh del",
    form: "ADDRESS",
    meaning: "forget a neighbour",
    fields: (words) => {
      const reader = new Words(words, "neigh del ADDRESS");
      const address = reader.needed("the address");
      reader.end();
      return { address };
    },
    run: ({ appliance }, fields) => {
      const address = needed(fields.address("address"), "address");
      fields.end();
      if (!appliance.ip.neighbours.remove(address)) {
        throw new RequestError(`${address} is not known; neigh show lists those that are`);
      }
      return [{ address: String(address) }];
    },
    lines: SILENT,
  },
  {
    name: "neigh flush",
    form: "",
    meaning: "forget all neighbours but those given by hand",
    fields: nothing("neigh flush"),
    run: ({ appliance }) => {
      const { neighbours } = appliance.ip;
      const all = [...neighbours.entries(appliance.nic.now())];
      const learnt = all.filter(({ state }) => state !== NeighbourState.Static);
      for (const { address } of learnt) neighbours.remove(address);
      return [{ forgotten: learnt.length }];
    },
    lines: SILENT,
  },
];
