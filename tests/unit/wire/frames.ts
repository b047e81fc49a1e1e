/**
 * Frames as two Linux hosts, 10.0.0.2 (02:00:00:00:00:02) and 10.0.0.1 (02:00:00:00:00:01), really sent them;
 * a line, or more, a header.
 *
 * @module
 */

/** The bytes that a text of hexadecimal digits writes, white space aside. */
export function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll(/\s/g, ""));
}

/** The bytes as hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  return bytes.toHex();
}

/** Who has 10.0.0.1? Tell 10.0.0.2. */
export const ARP_REQUEST: Uint8Array = hex(`
  ffff ffff ffff 0200 0000 0002 0806
  0001 0800 0604 0001 0200 0000 0002 0a00 0002 0000 0000 0000 0a00 0001
`);

/** 10.0.0.1 is at 02:00:00:00:00:01. */
export const ARP_REPLY: Uint8Array = hex(`
  0200 0000 0002 0200 0000 0001 0806
  0001 0800 0604 0002 0200 0000 0001 0a00 0001 0200 0000 0002 0a00 0002
`);

/** A ping of 10.0.0.1 from 10.0.0.2: identifier 5, sequence number 1, 56 bytes of data. */
export const ECHO_REQUEST: Uint8Array = hex(`
  0200 0000 0001 0200 0000 0002 0800
  4500 0054 3e3c 4000 4001 e86a 0a00 0002 0a00 0001
  0800 00e7 0005 0001
  0001 0203 0405 0607 0809 0a0b 0c0d 0e0f 1011 1213 1415 1617 1819 1a1b 1c1d 1e1f
  2021 2223 2425 2627 2829 2a2b 2c2d 2e2f 3031 3233 3435 3637
`);

/** Its answer. */
export const ECHO_REPLY: Uint8Array = hex(`
  0200 0000 0002 0200 0000 0001 0800
  4500 0054 6302 0000 4001 03a5 0a00 0001 0a00 0002
  0000 08e7 0005 0001
  0001 0203 0405 0607 0809 0a0b 0c0d 0e0f 1011 1213 1415 1617 1819 1a1b 1c1d 1e1f
  2021 2223 2425 2627 2829 2a2b 2c2d 2e2f 3031 3233 3435 3637
`);

/** 10.0.0.2:5353 sends "abc" to 10.0.0.1:9. */
export const UDP: Uint8Array = hex(`
  0200 0000 0001 0200 0000 0002 0800
  4500 001f 8d65 4000 4011 9966 0a00 0002 0a00 0001
  14e9 0009 000b 1281
  6162 63
`);

/** Its answer: nobody listens there. */
export const PORT_UNREACHABLE: Uint8Array = hex(`
  0200 0000 0002 0200 0000 0001 0800
  45c0 003b 62f5 0000 4001 030b 0a00 0001 0a00 0002
  0303 111c 0000 0000
  4500 001f 8d65 4000 4011 9966 0a00 0002 0a00 0001
  14e9 0009 000b 1281
  6162 63
`);

/** [2001:db8::2]:5353 sends "abc" to [2001:db8::1]:9. */
export const UDP_V6: Uint8Array = hex(`
  0200 0000 0001 0200 0000 0002 86dd
  6008 b4b3 000b 1140 2001 0db8 0000 0000 0000 0000 0000 0002 2001 0db8 0000 0000
  0000 0000 0000 0001
  14e9 0009 000b cb0e
  6162 63
`);

/** 10.0.0.2 opens a TCP connection to 10.0.0.1:7. */
export const SYN: Uint8Array = hex(`
  0200 0000 0001 0200 0000 0002 0800
  4500 003c 04a2 4000 4006 2218 0a00 0002 0a00 0001
  e336 0007 5b34 83bd 0000 0000 a002 faf0 1ed7 0000
  0204 05b4 0402 080a 44c2 1341 0000 0000 0103 030a
`);

/** 10.0.0.2 sends "hello" over it. */
export const TCP_DATA: Uint8Array = hex(`
  0200 0000 0001 0200 0000 0002 0800
  4500 0039 04a4 4000 4006 2219 0a00 0002 0a00 0001
  e336 0007 5b34 83be d90b 54b6 8018 003f ca4c 0000
  0101 080a 44c2 1344 2775 e4e1
  6865 6c6c 6f
`);

/** A TCP connection over IPv6 is accepted. */
export const SYN_ACK_V6: Uint8Array = hex(`
  0200 0000 0002 0200 0000 0001 86dd
  6004 cbee 0028 0640 2001 0db8 0000 0000 0000 0000 0000 0001 2001 0db8 0000 0000
  0000 0000 0000 0002
  0007 c750 72d3 7086 1006 18d8 a012 fb04 550c 0000
  0204 05a0 0402 080a f775 feab 8909 49c0 0103 030a
`);

/** The last fragment of a UDP datagram of 1,500 bytes. */
export const LAST_FRAGMENT: Uint8Array = hex(`
  0200 0000 0001 0200 0000 0002 0800
  4500 0030 8d75 00b9 4011 d88c 0a00 0002 0a00 0001
  0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000
`);
