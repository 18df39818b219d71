import { readFile } from 'node:fs/promises'
import { UsageError } from '../../config/errors.js'
import { parseCheckpoint } from '../log/checkpoint.js'
import { verifyNote } from '../log/note.js'
import { predicates, type RunStatement } from '../statement/types.js'
import { cosignersOfHead, keptHeads } from './heads.js'
import type { Record } from './read.js'
import { type RunSource, runFlaws } from './runs.js'
import type { Flaw } from './store.js'

/** What a verification found. */
export interface Verification {
  readonly flaws: readonly Flaw[]
  /** What is known of how new the head is, in words. */
  readonly freshness: string
  readonly isFresh: boolean
  /** Entries that nobody signed whose key counts: they are there, and say nothing. */
  readonly unsigned: readonly number[]
  /** Runs whose journal was folded again. */
  readonly refolded: number
  /** Runs whose journal is not here. */
  readonly withoutJournal: number
}

/** What a verification is given beside the record. */
export interface VerifyOptions {
  /** A head that the reader remembers, or got from somebody else. */
  readonly head?: string
  /** Reads a run that the record keeps; `null` when it is not there. @throws when it is not a run. */
  readonly readSource: (folder: string) => Promise<RunSource | null>
  readonly harnessDigest: string
}

/** Verifies a record: every file, every signature, every kept run, and that no head was rolled back or forked. */
export async function verifyRecord(record: Record, options: VerifyOptions): Promise<Verification> {
  const flaws: Flaw[] = [...record.flaws]
  const cosigned: string[] = []
  for (const { file, head } of await keptHeads(record.folder)) {
    const why = head === null ? 'it is not a head' : headFlaw(record, head)
    if (why !== null) flaws.push({ file, why })
    else if (head !== null) {
      const by = cosignersOfHead(head, record)
      if (by.length === 0) flaws.push({ file, why: 'no witness that is trusted has cosigned it' })
      else cosigned.push(`${by.join(' and ')} cosigned the head of ${head.size} entries`)
    }
  }
  let [refolded, withoutJournal] = [0, 0]
  for (const entry of record.entries) {
    if (entry.kind !== 'run' || entry.statement.predicateType !== predicates.run) continue
    const statement = entry.statement as RunStatement
    const journal = statement.subject.find(({ name }) => name === 'journal')?.digest.sha256 ?? ''
    const source = await options.readSource(journal).catch((error: unknown) => String(error))
    if (typeof source === 'string') flaws.push({ file: `runs/${journal}`, why: source })
    else if (source === null) withoutJournal += 1
    else {
      refolded += 1
      const isOurs = statement.predicate.harness.digest === options.harnessDigest
      flaws.push(...(await runFlaws(record.folder, statement, source, isOurs)))
    }
  }
  const remembered = options.head === undefined ? null : await checkHead(record, options.head)
  if (remembered?.flaw != null) flaws.push({ file: options.head ?? '', why: remembered.flaw })
  return {
    flaws,
    ...freshnessOf(remembered, cosigned, record),
    unsigned: record.entries.filter(({ signers }) => signers.length === 0).map(({ index }) => index),
    refolded,
    withoutJournal,
  }
}

function freshnessOf(
  remembered: { readonly flaw: string | null; readonly size: number } | null,
  cosigned: readonly string[],
  { log }: Record,
): Pick<Verification, 'freshness' | 'isFresh'> {
  const size = log.checkpoint?.size ?? 0
  if (remembered !== null && remembered.flaw === null) {
    return {
      isFresh: true,
      freshness: `the ${size} entries begin with the ${remembered.size} of the head that was given`,
    }
  }
  if (cosigned.length > 0) {
    return { isFresh: false, freshness: `freshness not proven beyond this: ${cosigned.at(-1)}, of ${size}` }
  }
  const freshness =
    'freshness not proven: entries at the end may have been left out (give a head that you remember, or one that another party cosigned)'
  return { isFresh: false, freshness }
}

async function checkHead(
  record: Record,
  path: string,
): Promise<{ readonly flaw: string | null; readonly size: number }> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new UsageError(`cannot read the head ${path}`)
  })
  const head = parseCheckpoint(text)
  if (head === null || verifyNote(head.note, record.verifier) === null) {
    throw new UsageError(`${path}: expected a head that the log's key has signed`)
  }
  return { flaw: headFlaw(record, head), size: head.size }
}

/** How a head contradicts the record, in words; `null` where it is a beginning of it. */
function headFlaw(
  { log, trust }: Record,
  head: { readonly origin: string; readonly size: number; readonly root: Buffer },
): string | null {
  if (head.origin !== trust.file.log.origin) return `it is a head of another log: ${head.origin}`
  if (head.size > log.tree.size) {
    return `the record was rolled back: it has ${log.tree.size} entries, and had ${head.size}`
  }
  return log.tree.root(head.size).equals(head.root)
    ? null
    : `the record was forked: its first ${head.size} entries are others than those of this head`
}
