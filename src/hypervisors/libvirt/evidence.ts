import { mkdir, writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { type CallOptions, hostError } from '../shared/host-commands.js'
import type { Virsh } from './virsh.js'

/** Where libvirt keeps what it and QEMU's guests said. */
export const logFolder = '/var/log/libvirt/qemu'
/** The log that libvirt keeps of a domain's emulator: its command line, and what it said last. */
export function emulatorLog(domain: string): string {
  return posix.join(logFolder, `${domain}.log`)
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
  const { code, stdout, stderr } = await virsh.run(command, call)
  const type = pictureType(stdout.bytes)
  if (code !== 0 || stdout.truncated || type === null) {
    const said = stderr.trim() === '' ? `${stdout.totalBytes} bytes that are not a picture` : stderr.trim()
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
