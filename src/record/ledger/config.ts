import { join } from 'node:path'
import { z } from 'zod'
import { readChecked } from '../../config/read-checked.js'
import { id, text } from '../../config/scalars.js'

/** The file that makes a folder a record. */
export const recordFile = 'record.yaml'

/** The file of the keys that count, in a record's folder. */
export const trustFileName = 'trust.yaml'

/** What a `record.yaml` holds. */
export const recordSchema = z.strictObject({
  record: id,
  party: id.meta({ description: 'Who keeps this record: one writer a record' }),
  logKey: text
    .optional()
    .meta({ description: "The log's private key in PEM, relative to this folder; else --log-key names it" }),
})

/** A record's own settings. */
export type RecordConfig = z.infer<typeof recordSchema>

/** Reads a record's settings. @throws UsageError when the folder is not a record, ConfigError */
export function loadRecordConfig(folder: string): Promise<RecordConfig> {
  return readChecked(join(folder, recordFile), recordSchema)
}

/** What a leaf of the log says: which statement was recorded, as what, and which leaves it is about. */
export const leafSchema = z.strictObject({
  v: z.literal(1),
  kind: id,
  /** SHA-256 of the statement: of the payload of its envelope. */
  statement: z.string().regex(/^[0-9a-f]{64}$/),
  cites: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
})

/** One leaf of the log. Leaves never change: what becomes of an entry is said by later ones that cite it. */
export type Leaf = z.infer<typeof leafSchema>
