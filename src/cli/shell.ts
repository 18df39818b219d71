import { spawn } from 'node:child_process'
import { resolve as resolvePath } from 'node:path'
import { UsageError } from '../config/errors.js'
import type { EnvironmentState, RunState } from '../journal/state.js'
import { type CommandIo, type ParsedArgs, requiredArgument, textFlag } from './args.js'
import { findRun, readRun } from './runs.js'

/** `guestcert shell RUN ENVIRONMENT`: logs in to an instance that `--keep` left running. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const reports = resolvePath(io.cwd, textFlag(args, 'reports') ?? 'reports')
  const { state } = await readRun(await findRun(requiredArgument(args, 'RUN'), reports, io.cwd))
  const environment = chooseEnvironment(state, requiredArgument(args, 'ENVIRONMENT'))
  const kept = environment.instances.filter(({ ended }) => ended?.kept === true).at(-1)
  const hint = kept?.ended?.orphan
  if (kept === undefined || hint === null || hint === undefined) {
    throw new UsageError(
      `no instance of ${environment.planned.id} was kept: use "guestcert run --keep failed"`,
    )
  }
  io.stderr.write(`${hint}\n`)
  const [program = '', ...words] = hint.split(' ')
  if (program !== 'ssh') {
    throw new UsageError(`the instance cannot be reached with ssh: ${hint}`)
  }
  const child = spawn(program, words, { stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => resolve(code === 0 ? 0 : 3))
  })
}

function chooseEnvironment({ environments }: RunState, wanted: string): EnvironmentState {
  const exact = environments.find(({ planned }) => planned.id === wanted)
  const near = environments.filter(({ planned }) => planned.id.includes(wanted))
  const [only, second] = exact === undefined ? near : [exact]
  if (only === undefined || second !== undefined) {
    const which = second === undefined ? 'no environment' : 'more than one environment'
    const ids = (second === undefined ? environments : near).map(({ planned }) => planned.id)
    throw new UsageError(`"${wanted}" matches ${which} of this run: ${ids.join(', ')}`)
  }
  return only
}
