import { InfraError } from '../../src/config/errors.js'
import type { RunningGuest, UnexpectedEvent } from '../../src/hypervisors/driver.js'
import type { connectToGuest } from '../../src/hypervisors/reach.js'
import type { Exit } from '../../src/journal/events.js'
import type { PlannedTest } from '../../src/plan/types.js'
import { type CommandResult, type Machine, NotCarriedOut } from '../../src/remote/index.js'
import type { RunOptions } from '../../src/remote/machine.js'
import { forever, pause } from './pause.js'
import type { Random } from './random.js'
import type { Truth } from './truth.js'
import { limits } from './world.js'

/** What a scripted guest needs to know. */
export interface GuestScript {
  readonly instance: string
  readonly random: Random
  readonly truth: Truth
  readonly isCalm: boolean
  /** True once its runner has died: nothing is told any more. */
  readonly isDead: () => boolean
  /** Tests by the name of their script. */
  readonly tests: ReadonlyMap<string, PlannedTest>
}

type Fate = 'none' | 'crash' | 'vanish' | 'reboot' | 'silence' | 'cut'
type ScriptEnd =
  | 'pass'
  | 'fail'
  | 'skip'
  | 'hang'
  | 'lost'
  | 'unproven'
  | 'truncated'
  | 'undrained'
  | 'signal'
  | 'not-begun'

/** Most guests have none. */
const fates: readonly [Fate, ...Fate[]] = [
  'none',
  ...Array<Fate>(9).fill('none'),
  'crash',
  'vanish',
  'reboot',
  'silence',
  'cut',
]

const running = new WeakMap<RunningGuest, ScriptedGuest>()

/** A guest whose every answer, fault and delay is drawn from the seed. */
export class ScriptedGuest {
  readonly #script: GuestScript
  readonly #gone = new AbortController()
  readonly #connections = new Set<AbortController>()
  #boots = 1
  #isSilent = false
  #isUp = true
  #connects = 0
  #commands = 0
  #fateTimer: NodeJS.Timeout | undefined
  #hostTimer: NodeJS.Timeout | undefined
  readonly #listeners = new Set<(what: UnexpectedEvent) => void>()

  constructor(script: GuestScript) {
    this.#script = script
  }

  /** Starts it: from now on its fate takes its course. */
  start(stop: (signal: AbortSignal) => Promise<void>): RunningGuest {
    const { instance, random, isCalm } = this.#script
    const fate = isCalm ? 'none' : random.pick(`${instance} fate`, fates)
    if (fate !== 'none') {
      this.#fateTimer = setTimeout(() => this.#meet(fate), random.ms(`${instance} fate at`, 0, 300_000))
    }
    // Drawn by itself, so that seeds of before mean the same runs.
    if (!isCalm && random.happens(`${instance} host does`, 0.08)) {
      const what = random.pick<UnexpectedEvent['type']>(`${instance} host does what`, ['moved', 'restarted'])
      this.#hostTimer = setTimeout(
        () => this.#suffer(what),
        random.ms(`${instance} host does at`, 0, 300_000),
      )
    }
    const guest: RunningGuest = {
      onUnexpected: listener => {
        this.#listeners.add(listener)
        return () => this.#listeners.delete(listener)
      },
      look: async () => {},
      access: async () => ({ endpoint: { host: instance, port: 22, jumps: [] } }),
      gone: this.#gone.signal,
      facts: {},
      stop: async signal => {
        clearTimeout(this.#fateTimer)
        clearTimeout(this.#hostTimer)
        await stop(signal)
        this.#isUp = false
        this.#cut('it was stopped')
      },
    }
    running.set(guest, this)
    return guest
  }

  #meet(fate: Fate): void {
    const { instance, truth } = this.#script
    truth.trouble(fate)
    if (fate === 'crash' || fate === 'vanish') {
      const cause = fate === 'crash' ? 'guest' : 'host'
      if (fate === 'crash') {
        truth.brokenGuests.add(instance)
      }
      this.#isUp = false
      this.#gone.abort(new InfraError(`${instance}: ${fate}`, { cause, where: instance, code: 'lost' }))
    } else if (fate === 'reboot') {
      truth.brokenGuests.add(instance)
      this.#boots += 1
    } else if (fate === 'silence') {
      truth.brokenGuests.add(instance)
      this.#isSilent = true
    }
    this.#cut(fate)
  }

  /** What its host does to it unexpectedly: it is well afterwards, and its connections are gone. */
  #suffer(what: UnexpectedEvent['type']): void {
    const { instance, truth } = this.#script
    if (!this.#isUp || this.#gone.signal.aborted) {
      return
    }
    truth.trouble(what)
    if (this.#listeners.size > 0 && !this.#script.isDead()) {
      truth.unexpected.push(`${instance} ${what}`)
    }
    if (what === 'restarted') {
      this.#boots += 1
    }
    for (const tell of this.#listeners) {
      tell(
        what === 'moved'
          ? { type: what, from: 'host-1', to: 'host-2' }
          : { type: what, cause: 'host', why: 'its host failed, and another one took it' },
      )
    }
    this.#cut(what)
  }

  #cut(why: string): void {
    for (const connection of this.#connections) {
      connection.abort(this.#trouble('network', 'lost', `the connection was lost: ${why}`))
    }
    this.#connections.clear()
  }

  #trouble(
    cause: 'unknown' | 'network',
    code: 'lost' | 'connect' | 'authentication',
    what: string,
  ): InfraError {
    const { instance } = this.#script
    return new InfraError(`${instance}: ${what}`, { cause, where: instance, code })
  }

  /** Connects as the SSH client does: it fails only when its limit is over, or when it is refused. */
  async connect(signal: AbortSignal): Promise<Machine> {
    const { instance, random, truth, isCalm } = this.#script
    this.#connects += 1
    const name = `${instance} connect ${this.#connects}`
    const refuses = !isCalm && random.happens(`${name} refuses`, 0.03)
    if (!isCalm && random.happens(`${name} silence`, 0.04)) {
      truth.trouble('never answers')
      truth.brokenGuests.add(instance)
      this.#isSilent = true
    }
    // Within what is granted for finding a lost guest again: a slower one counts as broken.
    await pause(random.ms(name, 100, this.#connects === 1 ? 60_000 : limits.recovery / 2), signal)
    if (this.#isSilent || !this.#isUp) {
      await pause(limits.boot, signal)
      const silence = this.#trouble('network', 'connect', 'no answer')
      throw new InfraError(
        `${instance}: it was not reached: no answer`,
        { cause: 'network', where: instance, limit: 'boot', code: 'boot' },
        { cause: silence },
      )
    }
    if (refuses) {
      truth.trouble('refused')
      throw this.#trouble('unknown', 'authentication', 'permission denied')
    }
    const connection = new AbortController()
    this.#connections.add(connection)
    return {
      label: instance,
      hostKey: 'SHA256:simulated',
      lost: connection.signal,
      channels: random.integer(`${name} channels`, 1, 8),
      run: (command, options = {}) => this.#run(command, options, connection),
      forward: () => Promise.reject(new Error('not simulated')),
      close: async () => {
        this.#connections.delete(connection)
        connection.abort(this.#trouble('network', 'lost', 'the connection was closed here'))
      },
    }
  }

  async #run(command: string, options: RunOptions, connection: AbortController): Promise<CommandResult> {
    const { instance, random, truth, isCalm, tests } = this.#script
    const lost = connection.signal
    lost.throwIfAborted()
    this.#commands += 1
    const file = /exec '?\.\/(t\d+\.sh)/.exec(command)?.[1]
    const test = file === undefined ? undefined : tests.get(file)
    if (test !== undefined) {
      return this.#runScript(test, options, connection)
    }
    await pause(random.ms(`${instance} command ${this.#commands}`, 10, 5_000), lost, options.signal)
    if (command.includes('--guestcert facts--')) {
      if (!isCalm && random.happens(`${instance} unusable`, 0.05)) {
        truth.trouble('unusable')
        return result({ kind: 'code', code: 90 }, '', 'No space left on device\n')
      }
      return result(
        { kind: 'code', code: 0 },
        `gc-swept 0\n--guestcert identity--\n${this.#identity()}--guestcert facts--\nos=Simulated\n`,
      )
    }
    return result({ kind: 'code', code: 0 }, command.includes('boot_id') ? this.#identity() : '')
  }

  #identity(): string {
    const boot = String(this.#boots).padStart(12, '0')
    return `boot_id=00000000-0000-4000-8000-${boot}\nbtime=${1_000_000 + this.#boots * 1000}\nuptime=10.00\n`
  }

  async #runScript(
    test: PlannedTest,
    options: RunOptions,
    connection: AbortController,
  ): Promise<CommandResult> {
    const { instance, random, truth, isCalm } = this.#script
    const name = `${instance} ${test.id}`
    const end = isCalm ? 'pass' : drawEnd(random, name)
    if (end !== 'pass') {
      truth.trouble(end)
    }
    const isHanging = end === 'hang'
    const takesMs = isHanging ? forever : random.ms(name, 10, 20_000)
    const limitMs = options.limitMs ?? limits.command
    await pause(Math.min(takesMs, limitMs), connection.signal, options.signal)
    if (takesMs > limitMs) {
      return result({ kind: 'limit', limit: options.limitName ?? 'command', limitMs }, '')
    }
    if (end === 'not-begun') {
      throw new NotCarriedOut(instance, { kind: 'code', code: 0 }, 'This account is currently not available.')
    }
    const said = outputOf(test, end)
    await options.onStdout?.(Buffer.from(said.stdout))
    if (end === 'lost') {
      this.#connections.delete(connection)
      connection.abort(this.#trouble('network', 'lost', 'cut in the middle'))
    }
    if (end === 'pass' && !connection.signal.aborted) {
      truth.passesGiven.add(name)
    } else if (end === 'fail' || (end === 'skip' && test.protocol === 'exit')) {
      truth.failuresGiven.add(name)
    }
    const given = result(said.exit, said.stdout)
    return {
      ...given,
      stdout: { ...given.stdout, truncated: end === 'truncated' },
      undrained: end === 'undrained',
    }
  }
}

/** Connects to scripted guests in the place of SSH. */
export const connectToScripted: typeof connectToGuest = (_, guest, { signal }) => {
  const scripted = running.get(guest)
  return scripted === undefined ? Promise.reject(new Error('no scripted guest')) : scripted.connect(signal)
}

function drawEnd(random: Random, name: string): ScriptEnd {
  const ends: [ScriptEnd, ...ScriptEnd[]] = [
    ...(Array<ScriptEnd>(16).fill('pass') as [ScriptEnd, ...ScriptEnd[]]),
    'fail',
    'fail',
    'skip',
    'hang',
    'lost',
    'unproven',
    'truncated',
    'undrained',
    'signal',
    'not-begun',
  ]
  return random.pick(`${name} end`, ends)
}

/** What a script prints, and how the command ends. */
function outputOf(
  { protocol }: PlannedTest,
  end: ScriptEnd,
): { readonly stdout: string; readonly exit: Exit } {
  const isTap = protocol === 'tap'
  const passed = isTap ? 'TAP version 13\n1..2\nok 1 - one\nok 2 - two\n' : 'well\n'
  switch (end) {
    case 'fail':
      return {
        stdout: isTap ? 'TAP version 13\n1..2\nok 1 - one\nnot ok 2 - two\n' : 'ill\n',
        exit: { kind: 'code', code: 1 },
      }
    case 'skip':
      return isTap
        ? { stdout: 'TAP version 13\n1..0 # SKIP not here\n', exit: { kind: 'code', code: 0 } }
        : { stdout: '', exit: { kind: 'code', code: 3 } }
    case 'lost':
      return { stdout: passed, exit: { kind: 'lost' } }
    case 'unproven':
      return { stdout: passed, exit: { kind: 'unproven', why: 'two ends' } }
    case 'signal':
      return { stdout: passed, exit: { kind: 'signal', signal: 'SIGKILL' } }
    default:
      return { stdout: passed, exit: { kind: 'code', code: 0 } }
  }
}

function result(exit: Exit, stdout: string, stderr = ''): CommandResult {
  const output = (text: string): CommandResult['stdout'] => ({
    text,
    bytes: Buffer.from(text),
    totalBytes: text.length,
    truncated: false,
  })
  return { exit, stdout: output(stdout), stderr: output(stderr), durationMs: 0, undrained: false }
}
