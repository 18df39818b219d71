import { fromText, toText } from '../../files/bytes.js'
import { SystemError } from '../../files/errno.js'
import { absolute } from '../../files/tree.js'
import { disksOf, macOf, memoryKiB, nicsOf } from '../domain.js'
import { Trouble } from '../trouble.js'
import { xmlOf } from '../vm.js'
import { at, copyXml, elements, make, readXml, text, writeXml, type Xml, XmlMistake } from '../xml.js'
import type { OptionRule } from './parse.js'
import { attempt, type Command, domainOf, Failed, type Session } from './session.js'

const domain: OptionRule = { name: 'domain', kind: 'required' }
const file: OptionRule = { name: 'file', kind: 'required' }

/** Reads the file that a command names; `what` is virsh's line when it is no good. */
function readFile({ call, given }: Session, what: (path: string) => string): Xml {
  const path = given.need('file')
  let content: string
  try {
    content = toText(call.system.tree.read(absolute(call.process.cwd, fromText(path)), call.process))
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    throw new Failed([`Failed to open file '${path}': ${error.text}`])
  }
  try {
    return readXml(content)
  } catch (error) {
    if (!(error instanceof XmlMistake)) throw error
    throw new Failed([what(path), `(domain_definition):${error.message}`])
  }
}

const define: Command = {
  options: [file, { name: 'validate', kind: 'flag', since: '1.2.12' }],
  run: async session => {
    const failed = (path: string): string => `Failed to define domain from ${path}`
    const xml = readFile(session, failed)
    const path = session.given.need('file')
    await attempt(session, failed(path), () => session.hypervisor.define(xml))
    return `Domain ${session.generation.named(text(xml, 'name') ?? '')} defined from ${path}\n`
  },
}

const dumpxml: Command = {
  options: [
    domain,
    { name: 'inactive', kind: 'flag', since: '0.5.0' },
    { name: 'security-info', kind: 'flag', since: '0.5.0' },
    { name: 'update-cpu', kind: 'flag', since: '0.8.0' },
    { name: 'migratable', kind: 'flag', since: '1.0.0' },
  ],
  run: session => {
    const vm = domainOf(session)
    const inactive = session.given.has('inactive') && vm.persistent !== undefined
    const xml = copyXml(inactive && vm.persistent ? vm.persistent : xmlOf(vm))
    if (!inactive && vm.running) {
      xml.attributes.id = String(vm.running.id)
      for (const [index, nic] of nicsOf(xml).entries()) {
        if (!at(nic, 'target')) nic.children.push(make('target', { dev: `vnet${vm.running.id * 4 + index}` }))
      }
    }
    const unit: Record<string, string> = session.generation.has('0.9.11') ? { unit: 'KiB' } : {}
    xml.children = xml.children.map(child =>
      typeof child === 'object' && (child.name === 'memory' || child.name === 'currentMemory')
        ? make(child.name, unit, String(memoryKiB(xml)))
        : child,
    )
    return writeXml(xml)
  },
}

const attach: Command = {
  options: [
    domain,
    file,
    { name: 'persistent', kind: 'flag', since: '0.9.2' },
    { name: 'config', kind: 'flag', since: '0.9.2' },
    { name: 'live', kind: 'flag', since: '0.9.2' },
  ],
  run: async session => {
    const vm = domainOf(session)
    const failed = (path: string): string => `Failed to attach device from ${path}`
    const device = readFile(session, failed)
    await attempt(session, failed(session.given.need('file')), () => {
      const { running } = vm
      if (!running) throw new Trouble('invalid', 'domain is not running')
      if (device.name !== 'disk' && device.name !== 'interface') {
        throw new Trouble('unsupported', `live attach of device '${device.name}' is not supported`)
      }
      const [disk] = disksOf(make('domain', {}, [make('devices', {}, [device])]))
      if (disk && disksOf(running.xml).some(({ target }) => target === disk.target)) {
        throw new Trouble('failed', `target ${disk.target} already exists`)
      }
      at(running.xml, 'devices')?.children.push(device)
    })
    return 'Device attached successfully\n'
  },
}

const detach: Command = {
  options: attach.options,
  run: async session => {
    const vm = domainOf(session)
    const failed = (path: string): string => `Failed to detach device from ${path}`
    const device = readFile(session, failed)
    await attempt(session, failed(session.given.need('file')), () => {
      const { running } = vm
      if (!running) throw new Trouble('invalid', 'domain is not running')
      const devices = at(running.xml, 'devices')
      const same = elements(devices, device.name).find(one => isSame(one, device))
      if (!same || !devices) throw new Trouble('failed', 'no matching device was found')
      devices.children = devices.children.filter(child => child !== same)
    })
    return 'Device detached successfully\n'
  },
}

function isSame(one: Xml, other: Xml): boolean {
  return one.name === 'disk'
    ? at(one, 'target')?.attributes.dev === at(other, 'target')?.attributes.dev
    : macOf(one) === macOf(other)
}

/** A picture of a screen on which nothing is shown: one black pixel in PPM. */
const blackPixel = 'P6\n1 1\n255\n\0\0\0'

const screenshot: Command = {
  since: '0.9.2',
  notOnXen: 'virDomainScreenshot',
  options: [domain, { name: 'file', kind: 'value' }, { name: 'screen', kind: 'value' }],
  run: async session => {
    const vm = domainOf(session)
    if (!vm.running) {
      throw new Failed([
        `could not take a screenshot of ${text(xmlOf(vm), 'name')}`,
        'Requested operation is not valid: domain is not running',
      ])
    }
    const { call, given } = session
    const path = given.value('file') ?? `${text(xmlOf(vm), 'name')}.ppm`
    const place = absolute(call.process.cwd, fromText(path))
    const node = call.system.tree.lookup(place)
    if (node?.type === 'file') {
      node.data.truncate(0)
      node.data.writeAt(0, Buffer.from(blackPixel, 'latin1'))
    } else call.system.tree.install(place, blackPixel)
    return `Screenshot saved to ${path}, with type of image/x-portable-pixmap`
  },
}

/** Commands about what domains are made of. */
export const deviceCommands: Readonly<Record<string, Command>> = {
  define,
  dumpxml,
  'attach-device': attach,
  'detach-device': detach,
  screenshot,
}
