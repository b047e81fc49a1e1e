/**
 * The layout of classic pcap (draft-ietf-opsawg-pcap): a file header, then packet records. Offsets count from the first byte of
 * either.
 *
 * @module
 */

/** What a file begins with, where its timestamps count microseconds. Its bytes' order is that of all numbers. */
export const MAGIC_MICROSECONDS = 0xa1b2c3d4;
/** What a file begins with, where its timestamps count nanoseconds. */
export const MAGIC_NANOSECONDS = 0xa1b23c4d;
/** What files of a patched libpcap begin with, whose records are longer by 8 bytes. */
export const MAGIC_PATCHED = 0xa1b2cd34;

/** The file header: version, snap length, link type in the lower 16 bits. */
export const FILE_MAJOR = 4, FILE_MINOR = 6, FILE_SNAP = 16, FILE_LINK_TYPE = 20, FILE_HEADER_LENGTH = 24;

/** The only version there is: 2.4. */
export const MAJOR = 2, MINOR = 4;

/** A record: seconds, their fraction, bytes captured, bytes on the wire; the data follows. */
export const SECONDS = 0, FRACTION = 4, CAPTURED = 8, ORIGINAL = 12, RECORD_HEADER_LENGTH = 16;
