import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { isUndecided } from '../engine/resumed.js'
import { planAgain } from '../plan/again.js'
import { loadSuites } from '../plan/suites.js'
import { openDrivers } from '../run/drivers.js'
import { summaryFile } from '../run/folder.js'
import { carryOut } from '../run/run.js'
import { type CommandIo, type ParsedArgs, requiredArgument, textFlag } from './args.js'
import { cacheFolder } from './folders.js'
import { refuseForeignLab } from './foreign-lab.js'
import { readHistory } from './history.js'
import { watchInterrupts } from './interrupts.js'
import { loadLab } from './load-lab.js'
import { exitCodeOfStored } from './report.js'
import { findRun, readRun, type StoredRun } from './runs.js'
import { sessionSettings, withRunLimit } from './session-flags.js'
import { whoAmI } from './who.js'

/**
 * `guestcert resume RUN`: a further session of a run. Of the run's folder, which may be a stranger's, only names and
 * digests are used: what is executed comes from the lab file.
 */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const reports = resolve(io.cwd, textFlag(args, 'reports') ?? 'reports')
  const stored = await readRun(await findRun(requiredArgument(args, 'RUN'), reports, io.cwd))
  const { folder, state } = stored
  const warn = (text: string): unknown => io.stderr.write(`guestcert: ${text}\n`)
  if (await isDone(stored)) {
    warn(`nothing is left to do in ${basename(folder)}: every test is decided`)
    return exitCodeOfStored(stored)
  }
  const labFile = resolve(io.cwd, textFlag(args, 'lab') ?? 'lab.yaml')
  await refuseForeignLab(labFile, folder)
  const lab = withRunLimit(args, await loadLab(labFile, io))
  const who = whoAmI(args, io.env)
  const suites = await loadSuites(lab.suites, lab.file)
  const drivers = openDrivers(lab, cacheFolder())
  const { abilitiesOf } = drivers
  const requester = { who, nowMs: Date.now() }
  const plan = planAgain({ stored: stored.plan, lab, suites, abilitiesOf, requester })
  await drivers.close()
  const tests = state.environments.flatMap(environment => environment.tests)
  const standing = tests.filter(({ stands }) => stands).length
  warn(`resuming ${basename(folder)}: ${standing} of ${plan.expected} results stand`)
  const interrupts = watchInterrupts(text => io.stderr.write(text), io.signal)
  try {
    const history = await readHistory(dirname(folder))
    const { exitCode } = await carryOut({
      ...(await sessionSettings(args, io, { lab, plan, history })),
      lab,
      suites,
      plan,
      resumes: folder,
      output: dirname(folder),
      who,
      history,
      drain: interrupts.drain,
      stop: interrupts.stop,
    })
    return exitCode
  } finally {
    interrupts.close()
  }
}

/** A run that was closed, whose reports are written, and in which nothing is to be tried again. */
async function isDone({ folder, state }: StoredRun): Promise<boolean> {
  const hasSummary = await stat(join(folder, summaryFile)).then(
    () => true,
    () => false,
  )
  return state.closed !== null && hasSummary && !state.environments.some(isUndecided)
}
