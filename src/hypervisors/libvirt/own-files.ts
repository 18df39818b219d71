import { posix } from 'node:path'
import { logPieces } from '../shared/evidence.js'
import { allDisks, consoleFile } from './domain.js'
import { textAt, type XmlElement } from './xml.js'

/** The files that were made for an instance: those that bear its name. A base never does. */
export function ownFiles(domain: XmlElement, instance: string): string[] {
  const console = consoleFile(domain)
  const nvram = textAt(domain, 'os', 'nvram')
  const candidates = [
    ...allDisks(domain).flatMap(({ file }) => file ?? []),
    ...(nvram === undefined ? [] : [nvram]),
    ...(console === null ? [] : logPieces(console)),
  ]
  return candidates.filter(file => posix.basename(file).startsWith(`${instance}.`))
}
