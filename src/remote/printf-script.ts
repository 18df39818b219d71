import { posix } from 'node:path'
import type { CarriedFile } from './transfer.js'

/** Bytes of a file for one `printf`: its words stay well below what a shell takes for a line. */
const chunkBytes = 2_000

/**
 * A shell script that makes files in the folder that it runs in, for guests without tar: `printf` is in the shell
 * itself nearly everywhere, and takes any byte as `\ooo`. Nothing of it is carried out before it is read to its end.
 */
export function printfScript(files: readonly CarriedFile[]): Buffer {
  const folders = [...new Set(files.map(({ path }) => posix.dirname(path)))].filter(folder => folder !== '.')
  const lines = [
    '{',
    'set -e',
    ...folders.map(folder => `mkdir -p ${word(Buffer.from(folder))}`),
    ...files.flatMap(file => linesFor(file)),
    'exit 0',
    '}',
    '',
  ]
  return Buffer.from(lines.join('\n'), 'latin1')
}

function linesFor({ path, mode, content }: CarriedFile): string[] {
  const name = word(Buffer.from(path))
  const lines = [`: >${name}`]
  for (let at = 0; at < content.length; at += chunkBytes) {
    lines.push(`printf '${format(content.subarray(at, at + chunkBytes))}' >>${name}`)
  }
  // Without chmod a script is still run by its interpreter.
  return [...lines, `chmod ${(mode & 0o7777).toString(8)} ${name} 2>/dev/null||:`]
}

/** A format of printf without conversions. */
function format(bytes: Buffer): string {
  let text = ''
  for (const byte of bytes) {
    const isPlain = byte === 0x0a || (byte >= 0x20 && byte < 0x7f)
    const char = String.fromCharCode(byte)
    text +=
      char === '%'
        ? '%%'
        : isPlain && char !== "'" && char !== '\\'
          ? char
          : `\\${byte.toString(8).padStart(3, '0')}`
  }
  return text
}

function word(bytes: Buffer): string {
  return `'${bytes.toString('latin1').replaceAll("'", "'\\''")}'`
}
