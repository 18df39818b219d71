import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { uuidOf } from '../shared/names.js'
import type { CloneFile } from '../shared/storage.js'
import { type Disk, nics, writableDisks } from './domain.js'
import { logFolder } from './evidence.js'
import {
  childrenOf,
  element,
  find,
  parseXml,
  removeChildren,
  setText,
  textAt,
  writeXml,
  type XmlElement,
} from './xml.js'

/** A domain made after another. */
export interface Clone {
  readonly xml: string
  /** Known before any of them is made, and named in the XML: whoever removes the domain finds them all. */
  readonly files: readonly CloneFile[]
  /** The console's file, written by the host. */
  readonly console: string | null
}

export interface CloneRequest {
  /** The VM's XML, as `virsh dumpxml --inactive` gives it. */
  readonly template: string
  readonly instance: string
  readonly how: 'overlay' | 'copy'
  /** The clean disk, on the host. */
  readonly path: string
  /** Keeps the cards' MAC addresses: a lab that names a fixed address counts on them. */
  readonly keepMacs: boolean
  readonly consoleLog: boolean
  /** Lets vCPUs, all but the first one, be taken away while it runs. */
  readonly spareVcpus: boolean
  /** What a person on the host reads about the domain. */
  readonly description: string
}

/** A disk that cannot be laid over or copied. */
export class NotCloneable extends Error {
  override readonly name = 'NotCloneable'
}

/**
 * Makes a domain of a VM's: a name, UUID, disks and console of its own. `path` takes the place of the disk
 * it is the source of, else of the first one; every other disk that the guest may write to is treated alike, from
 * its own file. Throws NotCloneable.
 */
export function cloneDomain(request: CloneRequest): Clone {
  const { instance, how } = request
  const domain = parseXml(request.template)
  if (how === 'overlay' && domain.attributes.type === 'xen') {
    throw new NotCloneable('an overlay needs QEMU; on Xen use "copy"')
  }
  delete domain.attributes.id
  setText(domain, 'name', instance)
  setText(domain, 'uuid', uuidOf(instance))
  removeChildren(domain, 'title')
  setText(domain, 'description', request.description)
  const files = [...cloneDisks(domain, request), ...cloneVariables(domain, request)]
  if (!request.keepMacs) {
    for (const [index, nic] of nics(domain).entries()) {
      removeChildren(nic, 'mac')
      nic.children.push(element('mac', { address: macFor(`${instance} ${index}`) }))
    }
  }
  for (const nic of nics(domain)) {
    removeChildren(nic, 'target')
  }
  freePorts(domain)
  // In software emulation QEMU does not let go of them.
  if (request.spareVcpus && domain.attributes.type !== 'qemu') {
    spareVcpus(domain)
  }
  const console = cloneConsole(domain, request)
  return { xml: writeXml(domain), files, console }
}

/** A MAC address out of QEMU's range, the same for the same words. */
export function macFor(words: string): string {
  const hex = createHash('sha256').update(`guestcert mac ${words}`).digest('hex')
  return `52:54:00:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}`
}

function cloneDisks(domain: XmlElement, { instance, how, path }: CloneRequest): CloneFile[] {
  const disks = writableDisks(domain)
  const main = disks.find(({ file }) => file === path) ?? disks[0]
  if (main === undefined) {
    throw new NotCloneable('the VM has no disk that its guest may write to')
  }
  return disks.map(disk => {
    const from = disk === main ? path : disk.file
    if (from === null) {
      throw new NotCloneable(
        `its disk ${disk.target} is not a file, so that instances would share it: use "snapshot", or leave the disk out`,
      )
    }
    const to = posix.join(
      posix.dirname(from),
      `${instance}.${disk.target}.${how === 'overlay' ? 'qcow2' : 'img'}`,
    )
    pointTo(disk, to, how)
    return { from, to, how }
  })
}

function pointTo({ element: disk, file }: Disk, to: string, how: CloneFile['how']): void {
  disk.attributes.type = 'file'
  removeChildren(disk, 'backingStore')
  removeChildren(disk, 'mirror')
  const driver = find(disk, 'driver')?.attributes ?? {}
  if (how === 'overlay' || file === null) {
    removeChildren(disk, 'driver')
    disk.children.unshift(element('driver', { ...driver, name: 'qemu', type: 'qcow2' }))
  }
  const labels = childrenOf(find(disk, 'source'), 'seclabel')
  removeChildren(disk, 'source')
  disk.children.push(element('source', { file: to }, labels))
}

/** UEFI's variables are a file of the VM's own. */
function cloneVariables(domain: XmlElement, { instance }: CloneRequest): CloneFile[] {
  const from = textAt(domain, 'os', 'nvram')
  const nvram = find(domain, 'os', 'nvram')
  if (nvram === undefined || from === undefined || from === '') {
    return []
  }
  const to = posix.join(posix.dirname(from), `${instance}.nvram${posix.extname(from)}`)
  nvram.children = [to]
  return [{ from, to, how: 'copy' }]
}

/** Nothing where the VM itself says which of its vCPUs there are and which can be plugged. */
function spareVcpus(domain: XmlElement): void {
  const vcpu = find(domain, 'vcpu')
  const [all, current] = [Number(textAt(domain, 'vcpu')), vcpu?.attributes.current]
  if (vcpu === undefined || find(domain, 'vcpus') !== undefined || !Number.isInteger(all) || all < 2) {
    return
  }
  const enabled = Number(current ?? all)
  const each = Array.from({ length: all }, (_, id) =>
    element('vcpu', {
      id: String(id),
      enabled: id < enabled ? 'yes' : 'no',
      hotpluggable: id === 0 ? 'no' : 'yes',
    }),
  )
  domain.children.splice(domain.children.indexOf(vcpu) + 1, 0, element('vcpus', {}, each))
}

/** What only one domain can have is left to libvirt: ports of screens, sockets of channels. */
function freePorts(domain: XmlElement): void {
  const devices = find(domain, 'devices')
  for (const { attributes } of childrenOf(devices, 'graphics')) {
    if (attributes.port !== undefined) {
      delete attributes.tlsPort
      Object.assign(attributes, { port: '-1', autoport: 'yes' })
    }
  }
  for (const channel of childrenOf(devices, 'channel')) {
    if (channel.attributes.type === 'unix') {
      removeChildren(channel, 'source')
    }
  }
}

/** The first serial port is written to a file: beside its terminal where libvirt can, else in place of it. */
function cloneConsole(domain: XmlElement, { instance, consoleLog }: CloneRequest): string | null {
  const devices = find(domain, 'devices')
  if (devices === undefined || textAt(domain, 'os', 'type') !== 'hvm') {
    return null
  }
  const file = posix.join(logFolder, `${instance}.console.log`)
  const port = find(devices, 'serial') ?? element('serial', { type: 'pty' })
  if (!childrenOf(devices, 'serial').includes(port)) {
    devices.children.push(port)
  }
  // libvirt makes the console of a serial port anew.
  removeChildren(devices, 'console')
  removeChildren(port, 'log')
  if (consoleLog) {
    port.children.push(element('log', { file, append: 'on' }))
  } else {
    port.attributes.type = 'file'
    removeChildren(port, 'source')
    port.children.unshift(element('source', { path: file }))
  }
  return file
}
