import type { Mistake } from './errors.js'
import type { LabFile } from './lab-schema.js'
import { parseSizeBytes } from './units.js'
import type { Path, YamlFile } from './yaml.js'

const decimalSize = /^(\d+(?:\.\d+)?)\s*([KMGT])B$/

/**
 * Memory that is written in powers of ten, which machines do not have: `4GB` is less than 4 GiB, and a guest that is
 * given one and asked for the other fails. The lab is read as it is written; this says what was probably meant.
 */
export function sizeWarnings(data: LabFile, yaml: YamlFile): Mistake[] {
  const hosts = Object.entries(data.hosts).flatMap(([id, { capacity }]) =>
    warningAt(['hosts', id, 'capacity', 'memory'], capacity?.memory, yaml),
  )
  const guests = Object.entries(data.guests).flatMap(([id, { on }]) =>
    Object.entries(on).flatMap(([host, { configuration }]) =>
      warningAt(['guests', id, 'on', host, 'configuration', 'memory'], configuration.memory, yaml),
    ),
  )
  return [...hosts, ...guests]
}

function warningAt(path: Path, written: string | undefined, yaml: YamlFile): Mistake[] {
  const [, number, letter = ''] = decimalSize.exec(written ?? '') ?? []
  const bytes = parseSizeBytes(written ?? '')
  if (number === undefined || bytes === null) {
    return []
  }
  const meant = `${number}${letter}iB`
  const perUnit = parseSizeBytes(`1${letter}iB`) ?? 1
  const message =
    `warning: memory: ${written} is ${bytes} bytes, which is ${Number((bytes / perUnit).toFixed(3))}${letter}iB: ` +
    `"${meant}" was probably meant`
  return [{ place: yaml.place(path), message }]
}
