/** A stack with sockets on a station's NIC. */
import { type Nic, Stack } from "../mod.ts";
import { CliError, ExitStatus } from "./cli/errors.ts";
import { ADDRESS_LIMIT, noAddress } from "./lease.ts";
import type { Station, StationOptions } from "./station.ts";

/**
 * Opens a stack on a NIC that a station lends, with the addresses that were asked for. Rejects with a CliError if no
 * address is to be had in time, or with the signal's reason.
 */
export async function openStack(
  station: Station,
  nic: Nic,
  options: Pick<StationOptions, "gateway" | "dns">,
  signal: AbortSignal,
): Promise<Stack> {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new CliError(ExitStatus.Failed, noAddress(station.name))),
    ADDRESS_LIMIT,
  );
  try {
    return await Stack.open({
      nic,
      mac: station.appliance.eth.mac,
      addresses: station.wanted,
      gateways: options.gateway ?? [],
      dns: options.dns ?? [],
      congestion: station.appliance.congestion,
      signal: AbortSignal.any([signal, late.signal]),
    });
  } finally {
    clearTimeout(timer);
  }
}
