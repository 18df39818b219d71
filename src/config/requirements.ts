import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { packageRoot } from './package-root.js'
import { readChecked } from './read-checked.js'
import { id, text } from './scalars.js'

/** An id as tests and policies write it: `GC-CLOCK-01`, `LIS:timesync`. */
const requirementId = z
  .string()
  .regex(/^[A-Z][A-Za-z0-9]*([-:.][A-Za-z0-9]+)+$/, 'expected an id such as "GC-CLOCK-01"')

/** What a file of `requirements/` holds. */
export const requirementsSchema = z.strictObject({
  requirements: id,
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'expected a version such as "1.0.0"'),
  entries: z.record(requirementId, z.strictObject({ text, source: text })),
})

/** Something that a guest must show. */
export interface Requirement {
  readonly id: string
  readonly text: string
  /** Whose demand it is: a vendor's document, or a page of our own. */
  readonly source: string
  /** The version of the list that it stands in. */
  readonly version: string
}

/** The requirements that ship with the program, by id. @throws ConfigError */
export async function loadRequirements(
  folder = join(packageRoot, 'requirements'),
): Promise<ReadonlyMap<string, Requirement>> {
  const names = (await readdir(folder)).filter(name => name.endsWith('.yaml')).sort()
  const files = await Promise.all(names.map(name => readChecked(join(folder, name), requirementsSchema)))
  return new Map(
    files.flatMap(({ version, entries }) =>
      Object.entries(entries).map(([key, entry]) => [key, { id: key, version, ...entry }] as const),
    ),
  )
}
