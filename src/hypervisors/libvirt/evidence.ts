import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { quote } from '../../remote/index.js'
import { type CallOptions, hostError, type Virsh } from './virsh.js'

/** A guest that floods its console shall not fill the runner's disk. */
export const maxConsoleBytes: number = 64 * 1024 * 1024
/** Older pieces that virtlogd keeps when a log has grown, oldest first (`max_backups` of virtlogd.conf). */
const backups = [3, 2, 1, 0]

/** Fetches a guest's console from the host into `console.log`; what is beyond the bound is its beginning. */
export async function fetchConsole(
  virsh: Virsh,
  file: string,
  folder: string,
  call: CallOptions,
): Promise<void> {
  const pieces = [...backups.map(number => `${file}.${number}`), file].map(quote).join(' ')
  const stream = createWriteStream(join(folder, 'console.log'))
  const failed = finished(stream)
  failed.catch(() => {})
  await virsh.shell(`cat ${pieces} 2>/dev/null|tail -c ${maxConsoleBytes}`, {
    ...call,
    keepBytes: 0,
    onStdout: chunk =>
      new Promise((resolve, reject) => {
        stream.write(chunk, error => (error ? reject(error) : resolve()))
      }),
  })
  stream.end()
  await failed
}

/** The files of a console on the host. */
export function consolePieces(file: string): string[] {
  return [file, ...backups.map(number => `${file}.${number}`)]
}

/** Takes a picture of a guest's screen. Returns the file's name in the folder. */
export async function takeScreenshot(
  virsh: Virsh,
  domain: string,
  folder: string,
  number: number,
  call: CallOptions,
): Promise<string> {
  const shoot = `${virsh.words(['screenshot', domain])} "$f" >&2`
  const command = `f=$(mktemp /tmp/guestcert.XXXXXX)&&${shoot}&&cat "$f";s=$?;rm -f "$f";exit $s`
  const { code, stdout, stderr } = await virsh.shell(command, call)
  const type = pictureType(stdout.bytes)
  if (code !== 0 || stdout.truncated || type === null) {
    const said = stderr.trim() === '' ? `${stdout.totalBytes} bytes that are no picture` : stderr.trim()
    throw hostError(call.where, `${call.where} on ${virsh.host}: no screenshot of ${domain}: ${said}`)
  }
  const name = `screenshot-${number}.${type}`
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, name), stdout.bytes)
  return name
}

/** By its first bytes: QEMU draws PPM, and PNG from 7.1 on. */
function pictureType(bytes: Buffer): 'png' | 'ppm' | null {
  if (bytes.subarray(0, 4).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47]))) {
    return 'png'
  }
  return bytes.subarray(0, 2).toString('latin1') === 'P6' ? 'ppm' : null
}
