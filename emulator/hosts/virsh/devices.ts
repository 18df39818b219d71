import { fromText, toText } from '../../files/bytes.js'
import { SystemError } from '../../files/errno.js'
import { absolute } from '../../files/tree.js'
import { currentKiB, memoryKiB, nicsOf } from '../domain.js'
import { Trouble } from '../trouble.js'
import { xmlOf } from '../vm.js'
import { at, copyXml, make, readXml, text, writeXml, type Xml, XmlMistake } from '../xml.js'
import type { OptionRule } from './parse.js'
import { affectedOf, scopeOptions } from './scope.js'
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
        ? make(child.name, unit, String(child.name === 'memory' ? memoryKiB(xml) : currentKiB(xml)))
        : child,
    )
    return writeXml(xml)
  },
}

/** A command that gives a domain a device or takes one from it. */
function change(verb: 'attach' | 'detach', done: string): Command {
  return {
    options: [domain, file, { name: 'persistent', kind: 'flag', since: '0.9.2' }, ...scopeOptions('0.9.2')],
    run: async session => {
      const vm = domainOf(session)
      const failed = (path: string): string => `Failed to ${verb} device from ${path}`
      const device = readFile(session, failed)
      await attempt(session, failed(session.given.need('file')), () => {
        const { hypervisor, given, generation } = session
        if (!vm.running && !generation.has('0.9.2')) {
          throw new Trouble('invalid', `cannot ${verb} device on inactive domain`)
        }
        const affects = given.has('persistent')
          ? { live: vm.running !== undefined, config: true }
          : affectedOf(session, vm)
        hypervisor[verb](vm, device, affects)
      })
      return `${done}\n`
    },
  }
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
  'attach-device': change('attach', 'Device attached successfully'),
  'detach-device': change('detach', 'Device detached successfully'),
  screenshot,
}
