/**
 * Values that mean something to a host 10.0.0.1/24, among any others.
 *
 * @module
 */
import { fc } from "../../support/property.ts";
import { BROADCAST_MAC, OWN, OWN_MAC, PEER, PEER_MAC } from "../../support/frames.ts";

/** The ports that the fuzzed host has handlers on. */
export const Port = {
  Echo: 7,
  Discard: 9,
  Short: 13,
  Swap: 17,
  Anew: 19,
  Group: 1900,
  Connected: 5000,
} as const;

/** The group that the host has joined, and the port that its connected handler's peer has. */
export const GROUP = "224.0.0.251", PEER_PORT = 6000;

/** The station that carries the group's packets. */
export const GROUP_MAC = "01:00:5e:00:00:fb";

const byte = fc.nat(255);

/** Any 16 bits, small ones, and those at the edges. */
export const word16: fc.Arbitrary<number> = fc.oneof(
  fc.nat(0xffff),
  fc.nat(64),
  fc.constantFrom(0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff),
);

/** Any 32 bits, and those at the edges. */
export const word32: fc.Arbitrary<number> = fc.oneof(
  fc.nat(0xffff_ffff),
  fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff),
);

/** A station: the host, its peers, everybody, groups, nobody, any. */
export const station: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(OWN_MAC, PEER_MAC) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(BROADCAST_MAC, GROUP_MAC, "33:33:00:00:00:01", "00:00:00:00:00:00"),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(byte, byte, byte, byte, byte, byte).map((bytes) =>
      bytes.map((one) => one.toString(16).padStart(2, "0")).join(":")
    ),
  },
);

/** An address that another host may have. */
export const other: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(PEER) },
  { weight: 4, arbitrary: fc.integer({ min: 2, max: 254 }).map((last) => `10.0.0.${last}`) },
  { weight: 1, arbitrary: fc.constantFrom("10.0.0.254", "192.0.2.7", "8.8.8.8", "10.0.1.1") },
);

/** An address of any kind. */
export const address: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: other },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      OWN,
      "10.0.0.255",
      "10.0.0.0",
      "255.255.255.255",
      GROUP,
      "224.0.0.1",
      "0.0.0.0",
      "0.1.2.3",
      "127.0.0.1",
      "240.0.0.1",
      "10.0.0.129",
      "10.0.0.127",
    ),
  },
  { weight: 1, arbitrary: fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join(".")) },
);

/** A destination: mostly the host. */
export const destination: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.constant(OWN) },
  { weight: 1, arbitrary: fc.constantFrom("10.0.0.255", "255.255.255.255", GROUP) },
  { weight: 1, arbitrary: address },
);

/** A port: one that is open, the peer's, any. */
export const port: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...Object.values(Port)) },
  { weight: 1, arbitrary: fc.constantFrom(PEER_PORT, 0) },
  { weight: 1, arbitrary: word16 },
);

/** Bytes to carry: few, seldom as many as a frame takes. */
export const payload: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 24 }) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.oneof(fc.integer({ min: 25, max: 1_480 }), fc.constantFrom(520, 540, 548, 1_472)),
      byte,
    )
      .map(([length, value]) => new Uint8Array(length).fill(value)),
  },
);

/** Most often undefined, so that a field has its right value. */
export function seldom<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
}
