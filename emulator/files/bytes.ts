/**
 * The emulated shell works on byte strings: one character (U+0000 to U+00FF) is one byte, as in the C locale.
 * So any bytes survive quoting, variables and pipes.
 */
export type Bytes = string

/** UTF-8 text as a byte string. */
export function fromText(text: string): Bytes {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** A byte string read as UTF-8 text; bytes that are no UTF-8 become U+FFFD. */
export function toText(bytes: Bytes): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** A byte string as a buffer. */
export function toBuffer(bytes: Bytes): Buffer {
  return Buffer.from(bytes, 'latin1')
}

/** A buffer as a byte string. */
export function fromBuffer(buffer: Uint8Array): Bytes {
  return Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength).toString('latin1')
}
