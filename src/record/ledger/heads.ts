import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseCheckpoint, type ReadCheckpoint } from '../log/checkpoint.js'
import { verifyNote } from '../log/note.js'
import { parseVerifierKey } from '../log/note-keys.js'
import type { Record } from './read.js'

/** The folder of heads that others have cosigned, by their size. */
export const headsFolder = 'heads'

/** Heads of the log that were kept because somebody cosigned them. */
export async function keptHeads(
  folder: string,
): Promise<readonly { readonly file: string; readonly head: ReadCheckpoint | null }[]> {
  const names = await readdir(join(folder, headsFolder)).catch(() => [])
  return Promise.all(
    names
      .sort((a, b) => Number(a) - Number(b))
      .map(async name => {
        const file = `${headsFolder}/${name}`
        return { file, head: parseCheckpoint(await readFile(join(folder, file), 'utf8').catch(() => '')) }
      }),
  )
}

/** Parties whose cosignature of a head holds. */
export function cosignersOfHead(
  head: ReadCheckpoint,
  { trust, verifier }: Pick<Record, 'trust' | 'verifier'>,
): readonly string[] {
  if (head.origin !== trust.file.log.origin || verifyNote(head.note, verifier) === null) return []
  return (trust.file.witnesses ?? []).flatMap(({ party, key }) => {
    const witness = parseVerifierKey(key)
    return witness !== null && verifyNote(head.note, witness) !== null ? [party] : []
  })
}

/** Parties that cosigned a head that holds an entry, and not yet a later one. */
export async function cosignersOf(record: Record, index: number, before: number): Promise<readonly string[]> {
  const { log } = record
  const heads = await keptHeads(record.folder)
  return heads.flatMap(({ head }) => {
    const isBetween = head !== null && head.size > index && head.size <= before
    return isBetween && log.tree.root(head.size).equals(head.root) ? cosignersOfHead(head, record) : []
  })
}
