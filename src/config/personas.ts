import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { packageRoot } from './package-root.js'

/** Stands between a persona and what is laid over it. */
export const mutantMark = '+'
/** Where in a folder of personas a file may stand. */
const places = ['.', 'hosts', 'mutants', 'parts']
const shipped = join(packageRoot, 'fixtures/personas')

/** The personas of a lab's own: a folder beside the lab file. */
export function personasBeside(labFile: string): string {
  return join(dirname(labFile), 'personas')
}

/** Where the personas of a lab are looked up, in this order. `more` are folders beside those of the lab. */
export function personaFolders(labFile: string, more: readonly string[] = []): string[] {
  return [...new Set([personasBeside(labFile), ...more, shipped])]
}

/** The names of the personas in a folder, which need not exist. */
export function personaNames(folder: string): string[] {
  return places.flatMap(place => {
    const within = join(folder, place)
    const files = existsSync(within) ? readdirSync(within) : []
    return files.filter(file => file.endsWith('.yaml')).map(file => file.slice(0, -'.yaml'.length))
  })
}

/** Whether a persona is named by its file. */
export function isPersonaFile(name: string): boolean {
  return /[\\/]|\.ya?ml$/.test(name)
}

/** The persona and what is laid over it, with files named from the root: those in a lab begin at the lab file. */
export function resolvePersona(names: string, labFile: string): string {
  return names
    .split(mutantMark)
    .map(name => (isPersonaFile(name) ? resolve(dirname(labFile), name) : name))
    .join(mutantMark)
}
