import { join, resolve } from 'node:path'
import { UsageError } from '../config/errors.js'
import { readLabels } from '../config/labels.js'
import { defaultLimits } from '../config/limits.js'
import { readOutput, writeOutputs } from '../reports/outputs.js'
import { runId } from '../run/folder.js'
import { pointLatest, refuseLatestFolder } from '../run/latest.js'
import { mergeRuns } from '../run/merge.js'
import { writeMerged } from '../run/write-merged.js'
import { type CommandIo, listFlag, type ParsedArgs, textFlag } from './args.js'
import { exitCodeOfStored, tellRun } from './report.js'
import { findRun, readRun } from './runs.js'
import { alwaysWritten } from './session-flags.js'

/** `guestcert merge RUN…`: makes one run of the parts of a plan. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const output = resolve(io.cwd, textFlag(args, 'output') ?? 'reports')
  const labels = readLabels(listFlag(args, 'label'))
  const wanted = ['junit', 'summary', ...alwaysWritten, ...listFlag(args, 'to')].map(text =>
    readOutput(text, io.cwd),
  )
  await refuseLatestFolder(output)
  const names = args.arguments.get('RUN') ?? []
  const parents = await Promise.all(names.map(async name => readRun(await findRun(name, output, io.cwd))))
  const stray = parents.find(({ strays }) => strays.length > 0)
  if (stray !== undefined) {
    throw new UsageError(
      `the runs cannot be merged: ${stray.folder} names evidence outside of it, such as ${stray.strays[0]}`,
    )
  }
  const run = runId(new Date())
  const folder = join(output, run)
  const merged = await mergeRuns(parents, { run, labels })
  await writeMerged(folder, merged, parents)
  const pointed = await pointLatest(output, run)
  if (pointed !== null) io.stderr.write(`guestcert: ${pointed}\n`)
  const { plan, state } = merged
  const stored = { ...merged, folder, strays: [] }
  const exitCode = exitCodeOfStored(stored)
  const { failures } = await writeOutputs(wanted, {
    state,
    exitCode,
    folder,
    workspace: io.cwd,
    env: io.env,
    print: text => io.stdout.write(text),
    limitMs: plan.limits.report ?? defaultLimits.report,
  })
  await tellRun(stored, exitCode, args, io)
  for (const { message } of failures) io.stderr.write(`guestcert: ${message}\n`)
  return failures.length === 0 ? exitCode : 4
}
