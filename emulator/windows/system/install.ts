import type { WindowsPersona } from '../persona/schema.js'
import { EventLogs } from '../store/events.js'
import { Volume } from '../store/files.js'
import { Registry } from '../store/registry.js'
import { type Circumstances, holds } from './nt.js'
import { writeRegistryFacts } from './registry-facts.js'
import type { Disk } from './system.js'
import type { TimeZone } from './time-zone.js'

/** Makes a new guest's disk as the setup program leaves it: files, registry and event logs. */
export function installDisk(
  persona: WindowsPersona,
  where: Circumstances,
  zone: TimeZone,
  now: () => number,
): Disk {
  const files = new Volume(now, persona.state.corruptEveryBytes)
  const registry = new Registry()
  const events = new EventLogs({ Application: 412, Security: 2203, System: 1206 })
  const installedMs = zone.parse(persona.os.installed)
  installFiles(persona, where, zone, files, installedMs)
  writeRegistryFacts(persona, where, registry, Math.floor(installedMs / 1000))
  return { files, registry, events, clean: true }
}

function installFiles(
  persona: WindowsPersona,
  where: Circumstances,
  zone: TimeZone,
  files: Volume,
  installedMs: number,
): void {
  const root = persona.os.systemRoot
  for (const folder of ['System32', 'System32\\drivers', 'System32\\wbem', 'Temp', 'Fonts', 'Logs', 'inf'])
    files.folder(`${root}\\${folder}`, true)
  files.folder('C:\\Program Files', true)
  const missing = new Set(persona.missing.flatMap(group => group.names.map(name => name.toLowerCase())))
  for (const group of persona.programs) {
    if (!holds(group, where)) continue
    for (const name of group.names) {
      if (missing.has(name.toLowerCase())) continue
      const program = (name.split('\\').at(-1) ?? name).toLowerCase()
      files.install(`${root}\\System32\\${name}`, {
        type: 'file',
        data: Buffer.alloc(0),
        size: 30_000 + program.length * 4096,
        modifiedMs: installedMs,
        createdMs: installedMs,
        program,
      })
    }
  }
  for (const [path, fact] of Object.entries(persona.files)) {
    if (fact === null || !holds(fact, where)) continue
    const real = path.replace(/^C:\\Windows(?=\\|$)/i, root)
    if (fact.directory) {
      files.folder(real, true)
      continue
    }
    const data =
      fact.base64 === undefined
        ? Buffer.from((fact.text ?? '').replace(/\r?\n/g, '\r\n'), 'latin1')
        : Buffer.from(fact.base64, 'base64')
    const at = fact.modified === undefined ? installedMs : zone.parse(fact.modified)
    files.install(real, {
      type: 'file',
      data,
      ...(fact.size === undefined ? {} : { size: fact.size }),
      ...(fact.version === undefined ? {} : { version: fact.version }),
      ...(fact.company === undefined ? {} : { company: fact.company }),
      modifiedMs: at,
      createdMs: at,
    })
  }
}
