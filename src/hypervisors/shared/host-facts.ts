import { emulatedMark } from '../../config/emulated-mark.js'

/** Reads `os-release(5)`, or the one line of a file such as `/etc/redhat-release`. */
export function parseRelease(text: string): string | null {
  const pretty = /^PRETTY_NAME=(["']?)(.+)\1$/m.exec(text)?.[2]
  const [first = '', ...more] = text.split(/\r?\n/).filter(line => line.trim() !== '')
  return pretty ?? (more.length < 3 && /release|Server|Linux/.test(first) ? first : null)
}

/** Prints who made a machine's firmware, and which it is; nothing where the kernel does not say. */
export const firmwareCommand = `cat ${['vendor', 'version', 'date'].map(name => `/sys/class/dmi/id/bios_${name}`).join(' ')} 2>/dev/null`

/** Prints something on an emulated host, and an empty line on any other. */
export const emulatedCommand = `echo "\${${emulatedMark}-}"`

/** Several lines as one. */
export function onOneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ')
}
