import { isIP } from 'node:net'
import type { Said } from '../shared/several.js'
import { UnknownOutput } from '../shared/unknown-output.js'

/**
 * What vmrun failed with, or `null`. Errors are printed on standard output and begin with `Error: `; some commands exit
 * with 0 nevertheless, and others with 255 and a word that is no error: either is enough.
 */
export function faultOf({ code, text }: Said): string | null {
  const [line] = /^Error: .*$/m.exec(text) ?? []
  if (line !== undefined) {
    return line.trim()
  }
  return code === 0 ? null : `status ${code}: ${text.trim().split('\n').slice(-3).join(' ').slice(-300)}`
}

/** Whether VMware Tools were not there to be asked, as before the guest is up. */
export function isWithoutTools(fault: string): boolean {
  return /VMware Tools are not running in the virtual machine/.test(fault)
}

/** Reads a list with a count in its first line, such as `Total running VMs: 2`. Throws UnknownOutput. */
function parseList(text: string, head: RegExp): string[] {
  const [first = '', ...lines] = text.split(/\r?\n/)
  const count = head.exec(first)?.[1]
  const found = lines.filter(line => line.trim() !== '')
  if (count === undefined || Number(count) !== found.length) {
    throw new UnknownOutput('a list of vmrun', text.trim().slice(0, 200))
  }
  return found
}

/** The configurations of the machines that run, by `vmrun list`; those that are paused are among them. */
export function parseRunning(text: string): string[] {
  return parseList(text, /^Total running VMs: (\d+)\s*$/)
}

/** The names of a machine's snapshots, by `vmrun listSnapshots`. */
export function parseSnapshots(text: string): string[] {
  return parseList(text, /^Total snapshots: (\d+)\s*$/)
}

/** The address that `vmrun getGuestIPAddress` tells; none while it says `unknown` or an error. */
export function addressesIn(said: Said): string[] {
  const text = said.text.trim()
  return faultOf(said) === null && isIP(text) !== 0 && !/^(?:127\.|169\.254\.|0\.|fe[89ab]|::1$)/i.test(text)
    ? [text]
    : []
}

/** What VMware product a host has. */
export interface Product {
  /** `VMware Workstation` */
  readonly name: string
  readonly version: string
  readonly build: string | null
}

/** Reads `vmware -v`: `VMware Workstation 17.5.0 build-22583795`. Throws UnknownOutput. */
export function parseProduct(text: string): Product {
  const [, name, version, build] =
    /^(VMware [A-Za-z ]+?) (\d+(?:\.\d+)*)(?: build-(\d+))?\s*$/m.exec(text) ?? []
  if (name === undefined || version === undefined) {
    throw new UnknownOutput('the version of a VMware product', text.trim().slice(0, 200))
  }
  return { name, version, build: build ?? null }
}

/** The version of vmrun itself, in the first line of its usage; `null` where it says none. */
export function parseVmrunVersion(text: string): string | null {
  return /^vmrun version (\d+(?:\.\d+)+)/m.exec(text)?.[1] ?? null
}
