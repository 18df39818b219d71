import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UsageError } from '../config/errors.js'
import { parseMomentMs } from '../config/moment.js'
import { readChecked } from '../config/read-checked.js'
import { sha256 } from '../record/canonical.js'
import { importedStatement } from '../record/import/build.js'
import { type ForeignReport, readJunit } from '../record/import/read-junit.js'
import { importedPairingSchema, mappingSchema } from '../record/import/schema.js'
import { write } from '../record/ledger/write.js'
import { recordLimits } from '../record/limits.js'
import { answer, lines } from './answer.js'
import { type CommandIo, listFlag, type ParsedArgs, textFlag } from './args.js'
import { openRecord, writeKeys } from './record/open.js'
import { recordedOf, recordedText, recordedValue } from './record/recorded.js'
import { customerFacts } from './record/status.js'

const ownTool = 'guestcert'

/** `guestcert import --junit FILE…`: reads results of other tools, and records them as imported. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const files = listFlag(args, 'junit')
  const pairingFile = textFlag(args, 'pairing')
  if (files.length === 0) throw new UsageError('give the results: --junit FILE')
  if (pairingFile === undefined) throw new UsageError('give what they are about: --pairing FILE')
  const pairing = await readChecked(resolve(io.cwd, pairingFile), importedPairingSchema)
  const mappingFile = textFlag(args, 'mapping')
  const mapping =
    mappingFile === undefined ? null : await readChecked(resolve(io.cwd, mappingFile), mappingSchema)
  const read = await Promise.all(files.map(file => readReport(resolve(io.cwd, file))))
  const { statement, unmapped, missing } = importedStatement({
    reports: read.map(({ report }) => report),
    digests: read.map(({ digest }) => digest),
    tool: mapping?.tool ?? ownTool,
    mapping,
    pairing,
    facts: (await customerFacts(args, io)) ?? { guest: {}, host: {} },
    at: timeOf(
      read.map(({ report }) => report),
      textFlag(args, 'at'),
    ),
  })
  const { tests } = statement.predicate
  if (tests.length === 0) throw new UsageError('no case stands for a test: give --mapping FILE')
  if (unmapped.length > 0)
    io.stderr.write(`guestcert: ${unmapped.length} cases stand for no test, such as ${unmapped[0]}\n`)
  if (missing.length > 0) io.stderr.write(`guestcert: no case for ${missing.join(', ')}\n`)
  const appended =
    textFlag(args, 'key') === undefined
      ? []
      : await write(await openRecord(args, io), await writeKeys(args, io), [
          { kind: 'run', statement, cites: [] },
        ])
  const recorded = recordedOf(appended, [`${tests.length} imported results`])
  const shown = (wanted: typeof tests): string => lines(wanted.map(({ id, verdict }) => `${verdict}  ${id}`))
  answer(args, io, {
    value: {
      tests: tests.map(({ id, verdict }) => ({ test: id, verdict })),
      unmapped,
      missing,
      recorded: recordedValue(recorded),
    },
    text: () => shown(tests) + recordedText(recorded),
    quiet: () => shown(tests.filter(({ verdict }) => verdict !== 'pass')),
  })
  return 0
}

async function readReport(
  path: string,
): Promise<{ readonly report: ForeignReport; readonly digest: string }> {
  const bytes = await readFile(path).catch(() => {
    throw new UsageError(`cannot read ${path}`)
  })
  if (bytes.length > recordLimits.file)
    throw new UsageError(`${path} is longer than ${recordLimits.file} bytes`)
  return { report: readJunit(bytes.toString('utf8'), path), digest: sha256(bytes) }
}

/** When the tests ran: as the files say, else as `--at` does. What is imported today is not of today. */
function timeOf(reports: readonly ForeignReport[], given: string | undefined): string {
  const said = reports.map(({ at }) => at).filter((at): at is string => at !== null)
  const ms = given === undefined ? null : parseMomentMs(given)
  if (given !== undefined && ms === null)
    throw new UsageError(`--at must be a day such as 2026-12-24, not "${given}"`)
  const time = said.sort()[0] ?? (ms === null ? undefined : new Date(ms).toISOString())
  if (time === undefined) throw new UsageError('the files do not say when the tests ran: give --at DATE')
  return time
}
