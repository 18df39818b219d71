import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { check } from './check.js'
import type { Mistake } from './errors.js'
import { beyondZod, type Definition, forZod } from './json-schema.js'
import type { LabFile } from './lab-schema.js'
import { nearest } from './nearest.js'
import { packageRoot } from './package-root.js'
import { isPersonaFile, mutantMark, personaNames, personasBeside } from './personas.js'
import { type Path, within, type YamlFile } from './yaml.js'

interface Names {
  readonly enum: readonly string[]
}

/** What may be asked of the emulator, as it publishes it itself: nothing of it is known here. */
interface Published {
  readonly $defs: {
    readonly guest: Names
    readonly host: Names
    readonly mutant: Names
    readonly guestFaults: Definition
    readonly hostFaults: Definition
  }
}

/** What the machines of a lab can be emulated with. */
export interface Emulation {
  readonly published: Published
  /** The names of the lab's own personas. */
  readonly own: readonly string[]
}

/** Reads what the emulator publishes, and which personas a lab has of its own. */
export async function readEmulation(labFile: string): Promise<Emulation> {
  const text = await readFile(join(packageRoot, 'schemas/emulator.schema.json'), 'utf8')
  return { published: JSON.parse(text) as Published, own: personaNames(personasBeside(labFile)) }
}

/** Every name of a persona that is not known, and every mistake in `faults`. */
export function emulationMistakes(data: LabFile, yaml: YamlFile, emulation: Emulation): Mistake[] {
  const { guest, host, guestFaults, hostFaults } = emulation.published.$defs
  const kinds = [
    { group: 'hosts', entries: data.hosts, names: host, faults: hostFaults },
    { group: 'guests', entries: data.guests, names: guest, faults: guestFaults },
  ] as const
  return kinds.flatMap(({ group, entries, names, faults }) =>
    Object.entries(entries).flatMap(([id, entry]) => [
      ...(entry.emulated === undefined
        ? []
        : nameMistakes(entry.emulated, names, [group, id, 'emulated'], yaml, emulation)),
      ...(entry.faults === undefined ? [] : faultMistakes(faults, within(yaml, [group, id, 'faults']))),
    ]),
  )
}

function nameMistakes(
  written: string,
  { enum: personas }: Names,
  path: Path,
  yaml: YamlFile,
  { published, own }: Emulation,
): Mistake[] {
  const place = yaml.place(path)
  return written.split(mutantMark).flatMap((name, index) => {
    const what = index === 0 ? 'persona' : 'mutant'
    if (isPersonaFile(name)) {
      const file = resolve(dirname(yaml.file), name)
      return existsSync(file) ? [] : [{ place, message: `no ${what} ${file}: there is no such file` }]
    }
    const known = [...own, ...(index === 0 ? personas : published.$defs.mutant.enum)]
    if (known.includes(name)) {
      return []
    }
    const near = nearest(name, known)
    const hint = near === null ? `known: ${known.join(', ')}` : `did you mean "${near}"?`
    return [{ place, message: `unknown ${what} "${name}": ${hint}` }]
  })
}

function faultMistakes(definition: Definition, yaml: YamlFile): Mistake[] {
  const { data, mistakes } = check(yaml, z.fromJSONSchema(forZod(definition)))
  return data === null ? mistakes : beyondZod(definition, data, [], yaml)
}
