import { z } from 'zod'
import { text, version } from '../../config/scalars.js'

/** What a mapping file holds: which cases of another tool stand for which test. */
export const mappingSchema = z.strictObject({
  tool: text.meta({ description: 'The tool that made the results, as a policy names it' }),
  tests: z
    .record(text, z.union([text, z.array(text).min(1)]))
    .meta({ description: 'A test id, and the cases that stand for it: "classname::name", or "name" alone' }),
})

/** Which cases of another tool stand for which test. */
export type Mapping = z.infer<typeof mappingSchema>

/** What a pairing file holds: what results of another tool are about. */
export const importedPairingSchema = z.strictObject({
  guest: z.strictObject({ product: text, version, edition: text.nullable().default(null), arch: text }),
  hypervisor: z.strictObject({ product: text, version }),
  configuration: z.record(text, z.union([text, z.number()])).default({}),
})

/** What results of another tool are about. */
export type ImportedPairing = z.infer<typeof importedPairingSchema>
