import { resolve } from 'node:path'
import { UsageError } from '../config/errors.js'
import { defaultLimits } from '../config/limits.js'
import { readChecked } from '../config/read-checked.js'
import { type ExitCode, exitCodeOf, meaningOf, strongestExit } from '../journal/exit.js'
import { openFold } from '../journal/fold.js'
import { type WaivedRun, waiveRun } from '../waivers/of-run.js'
import { waiversSchema } from '../waivers/schema.js'
import { answer, lines } from './answer.js'
import {
  type CommandIo,
  colorFlag,
  isSet,
  listFlag,
  type ParsedArgs,
  requiredArgument,
  textFlag,
} from './args.js'
import { findRun, readRun, type StoredRun } from './runs.js'

/** `guestcert report RUN`: makes the reports of a run again, from its journal. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const reports = resolve(io.cwd, textFlag(args, 'reports') ?? 'reports')
  const stored = await readRun(await findRun(requiredArgument(args, 'RUN'), reports, io.cwd))
  const exitCode = exitCodeOfStored(stored)
  if (stored.strays.length > 0) {
    io.stderr.write(
      `guestcert: ${stored.strays.length} evidence files lie outside the run's folder and are left out, such as ${stored.strays[0]}\n`,
    )
  }
  const wanted = listFlag(args, 'to')
  const waivers = textFlag(args, 'waivers')
  if (wanted.length > 0) {
    if (isSet(args, 'json'))
      throw new UsageError('--json prints the result; with --to, use --to summary=FILE')
    const waived = waivers === undefined ? undefined : await applyFile(waivers, stored, io)
    return writeReports(wanted, stored, exitCode, io, waived)
  }
  if (waivers !== undefined) throw new UsageError('--waivers is for the JUnit that --to writes')
  await tellRun(stored, exitCode, args, io)
  return exitCode
}

/** Reads a file of waivers, and says which of them have expired or forgive nothing. */
async function applyFile(file: string, { state }: StoredRun, io: CommandIo): Promise<WaivedRun['waived']> {
  const { waivers } = await readChecked(resolve(io.cwd, file), waiversSchema)
  const { waived, reports } = waiveRun(state, waivers, Date.now())
  for (const { text } of reports) io.stderr.write(`guestcert: ${text}\n`)
  return waived
}

/** What the journal comes to, and what the run itself ended with: the stronger of both. */
export function exitCodeOfStored({ state }: StoredRun): ExitCode {
  const computed = exitCodeOf(state)
  return state.closed === null ? computed : strongestExit([computed, state.closed.exitCode])
}

/** Prints what a run came to; `--json` is `summary.json`. */
export async function tellRun(
  stored: StoredRun,
  exitCode: ExitCode,
  args: ParsedArgs,
  io: CommandIo,
): Promise<void> {
  const { createTerminalReporter } = await import('../reports/terminal/reporter.js')
  const { showsUnicode, wantsColor } = await import('../reports/terminal/style.js')
  const { countWords } = await import('../reports/findings.js')
  const { summaryOf } = await import('../reports/summary.js')
  const { plan, events, state, folder } = stored
  answer(args, io, {
    value: summaryOf(state, exitCode),
    text: () => {
      const said: string[] = []
      const { isTTY = false, columns } = io.stdout
      const flag = colorFlag(args)
      const fold = openFold(plan)
      const reporter = createTerminalReporter({
        stream: { write: text => said.push(text), isTTY, columns },
        color: wantsColor({ isTTY, env: io.env, ...(flag === undefined ? {} : { flag }) }),
        unicode: showsUnicode(io.env),
        plan,
        fold,
        folder,
        quiet: true,
      })
      for (const event of events) {
        fold.add(event)
        reporter.event(event)
      }
      reporter.end(state, exitCode, folder)
      return said.join('')
    },
    quiet: () => {
      const counted = countWords(state).map(([, text]) => text)
      return lines([counted.join(', ') || 'no tests', `exit ${exitCode}: ${meaningOf(exitCode)}`])
    },
  })
  if (state.closed === null) {
    io.stderr.write('guestcert: the run is incomplete: it is still active, or its runner died\n')
  }
}

/** Writes the reports and names what was written; one that cannot be written makes the exit code 4. */
async function writeReports(
  texts: readonly string[],
  { plan, state, folder }: StoredRun,
  exitCode: ExitCode,
  io: CommandIo,
  waived?: WaivedRun['waived'],
): Promise<number> {
  const { readOutput, writeOutputs } = await import('../reports/outputs.js')
  const { written, failures } = await writeOutputs(
    texts.map(text => readOutput(text, io.cwd)),
    {
      state,
      exitCode,
      folder,
      ...(waived === undefined ? {} : { waived }),
      workspace: io.cwd,
      env: io.env,
      print: text => io.stdout.write(text),
      limitMs: plan.limits.report ?? defaultLimits.report,
    },
  )
  for (const path of written) io.stdout.write(`${path}\n`)
  for (const { message } of failures) io.stderr.write(`guestcert: ${message}\n`)
  return failures.length === 0 ? exitCode : 4
}
