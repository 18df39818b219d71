import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { finished } from 'node:stream/promises'
import { quote } from '../../remote/index.js'
import { type CallOptions, hostError, type Virsh } from './virsh.js'

/** Where libvirt keeps what it and QEMU's guests said. */
export const logFolder = '/var/log/libvirt/qemu'
/** A guest that floods its log shall not fill the runner's disk. */
export const maxLogBytes: number = 64 * 1024 * 1024
/** Older pieces that virtlogd keeps when a log has grown, newest first (`max_backups` of virtlogd.conf). */
const backups = [0, 1, 2, 3]

/** Fetches a log from the host into a file of the runner's; what is beyond the bound is its beginning. */
export async function fetchLog(virsh: Virsh, file: string, to: string, call: CallOptions): Promise<void> {
  const pieces = logPieces(file).reverse().map(quote).join(' ')
  const stream = createWriteStream(to)
  const failed = finished(stream)
  failed.catch(() => {})
  await virsh.shell(`cat ${pieces} 2>/dev/null|tail -c ${maxLogBytes}`, {
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

/** The log that libvirt keeps of a domain's emulator: its command line, and what it said last. */
export function emulatorLog(domain: string): string {
  return posix.join(logFolder, `${domain}.log`)
}

/** The files of a log on the host, the newest first. */
export function logPieces(file: string): string[] {
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
