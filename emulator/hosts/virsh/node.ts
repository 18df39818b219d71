import { make, writeXml, type Xml } from '../xml.js'
import type { Command, Session } from './session.js'

const version: Command = {
  options: [],
  run: ({ generation, persona }) => {
    const { api, hypervisor } = persona.libvirt
    const name = generation.has('0.9.0') ? 'libvirt' : 'libvir'
    return [
      `Compiled against library: ${name} ${generation.version}`,
      `Using library: ${name} ${generation.version}`,
      `Using API: ${api}`,
      `Running hypervisor: ${hypervisor}`,
      '',
    ].join('\n')
  },
}

const nodeinfo: Command = {
  options: [],
  run: ({ persona, generation }) => {
    const { model, mhz, cells, sockets, cores, threads, memoryKiB } = persona.node
    const fields: readonly (readonly [string, string])[] = [
      ['CPU model', model],
      ['CPU(s)', String(cells * sockets * cores * threads)],
      ['CPU frequency', `${mhz} MHz`],
      ['CPU socket(s)', String(sockets)],
      ['Core(s) per socket', String(cores)],
      ['Thread(s) per core', String(threads)],
      ['NUMA cell(s)', String(cells)],
      ['Memory size', `${memoryKiB} ${generation.has('0.9.11') ? 'KiB' : 'kB'}`],
    ]
    return fields.map(([name, value]) => `${`${name}:`.padEnd(20)} ${value}\n`).join('')
  },
}

function guestXml(session: Session, type: string, domainType: string): Xml {
  const { emulator } = session.persona.libvirt
  return make('guest', {}, [
    make('os_type', {}, type),
    make('arch', { name: 'x86_64' }, [
      make('wordsize', {}, '64'),
      emulator === undefined ? undefined : make('emulator', {}, emulator),
      make('domain', { type: domainType }),
    ]),
  ])
}

const capabilities: Command = {
  options: [],
  run: session => {
    const { persona, isXen } = session
    const { cpu, node } = persona
    const guests = isXen
      ? [guestXml(session, 'xen', 'xen'), guestXml(session, 'hvm', 'xen')]
      : [guestXml(session, 'hvm', 'kvm')]
    const cpuXml = make('cpu', {}, [
      make('arch', {}, node.model),
      isXen ? undefined : make('model', {}, cpu.name),
      isXen ? undefined : make('vendor', {}, cpu.vendor_id === 'GenuineIntel' ? 'Intel' : 'AMD'),
      isXen
        ? undefined
        : make('topology', {
            sockets: String(node.sockets),
            cores: String(node.cores),
            threads: String(node.threads),
          }),
    ])
    return `${writeXml(make('capabilities', {}, [make('host', {}, [cpuXml]), ...guests]))}\n`
  },
}

/** Commands about the host itself. */
export const nodeCommands: Readonly<Record<string, Command>> = {
  version,
  nodeinfo,
  capabilities,
  hostname: { options: [], run: ({ call }) => `${call.system.uname.nodename}\n` },
  uri: { options: [], run: ({ persona }) => `${persona.libvirt.uri}\n` },
}
