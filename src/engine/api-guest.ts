import { durationMs } from '../api/duration.js'
import type { CommandOptions, CommandOutcome, Guest, Reboot, Reconnection } from '../api/guest.js'
import { InfraError } from '../config/errors.js'
import { withDeadline } from '../deadline/deadline.js'
import type { ClockReading } from '../guests/clock.js'
import type { PlannedTest } from '../plan/types.js'
import { type CommandResult, quote } from '../remote/index.js'
import { filesOf } from './api-files.js'
import type { EvidenceFile } from './evidence.js'
import type { GuestSession } from './session.js'
import type { UndoStack } from './undo.js'
import { testVariables } from './variables.js'

/** A guest's calls as the runner carries them out: a module makes of a reading what it shows of it. */
export type Served<G extends Guest> = Omit<G, 'clockOffset'> & { clockOffset(): Promise<ClockReading> }

/** The guest as test modules see it. Every command and its output goes to the test's evidence. */
export function guestFor(
  session: GuestSession,
  test: PlannedTest,
  log: EvidenceFile,
  signal: AbortSignal,
  undo: UndoStack,
): Served<Guest> {
  const env = testVariables(session.source.environment, session, test)
  const run = async (command: string, options: CommandOptions = {}): Promise<CommandOutcome> => {
    const machine = await session.connected(signal)
    const result = await machine.run(command, {
      signal,
      env,
      ...(options.limit === undefined ? {} : { limitMs: durationMs(options.limit) }),
      ...(options.stdin === undefined ? {} : { stdin: Buffer.from(options.stdin) }),
    })
    await log.write(Buffer.from(describe(command, result)))
    signal.throwIfAborted()
    // A command that takes the guest down, in a window that was announced, has no proven end.
    if (session.expected.current() === null) {
      refuseUnproven(command, result, session)
    }
    return outcomeOf(result)
  }
  const { system } = session.source
  const guest: Served<Guest> = {
    facts: session.facts,
    run,
    readFile: async path => {
      const { succeeded, stdout, stderr, truncated } = await run(`cat ${quote(path)}`)
      if (!succeeded || truncated) {
        throw new Error(`${path} could not be read whole: ${stderr.trim().slice(0, 200)}`)
      }
      return stdout
    },
    ...filesOf(session, test, signal, undo),
    bootIdentity: async () => nameOf(await system.identify(await session.connected(signal), { signal })),
    reboot: () => rebootGuest(session, signal),
    expectDisconnect: (action, { within }) => disconnect(session, action, durationMs(within), signal),
    clockOffset: async () => system.clock(await session.connected(signal), signal),
  }
  return system.apiFor(session, guest, log, signal)
}

async function rebootGuest(session: GuestSession, signal: AbortSignal): Promise<Reboot> {
  const { limits, instance, mayReboot } = session.source
  if (!mayReboot) {
    throw new TypeError(`${instance} may not be rebooted: the manifest must say "needs: { guest: [reboot] }"`)
  }
  const close = session.expected.open('a reboot', limits.reboot)
  try {
    const rebooted = await session.source.system.reboot({
      machine: session.machine,
      reconnect: until => session.source.reach(until, 'booting'),
      limits,
      signal,
    })
    session.machine = rebooted.machine
    session.identity = rebooted.after
    await session.source.health.learnRestart()
    return {
      before: nameOf(rebooted.before),
      after: nameOf(rebooted.after),
      uptimeSec: rebooted.after.uptimeSec,
      tookMs: rebooted.tookMs,
    }
  } finally {
    close()
  }
}

async function disconnect(
  session: GuestSession,
  action: () => Promise<unknown>,
  withinMs: number,
  signal: AbortSignal,
): Promise<Reconnection> {
  const { instance, health } = session.source
  const close = session.expected.open('an announced disconnection', withinMs, 'crash-tolerated')
  const startedAt = performance.now()
  const before = session.identity
  try {
    return await withDeadline(
      { name: 'expectDisconnect', ms: withinMs, where: instance, cause: 'guest', signal },
      async until => {
        await action().catch((error: unknown) => {
          if (!session.machine.lost.aborted) {
            throw error
          }
        })
        const machine = await session.reconnect(until)
        session.identity = await session.source.system.identify(machine, { signal: until })
        await health.learnRestart()
        // A crash that was asked for is read while it is still tolerated.
        await health.look()
        return {
          bootIdentityBefore: nameOf(before),
          bootIdentityAfter: nameOf(session.identity),
          tookMs: performance.now() - startedAt,
        }
      },
    )
  } catch (error) {
    const crash = health.tolerated()
    throw crash !== null && error instanceof InfraError && error.context.code === 'limit'
      ? new InfraError(`${error.message}; ${crash.message}`, error.context, { cause: error })
      : error
  } finally {
    close()
  }
}

function nameOf({ bootId, btimeSec }: { bootId: string | null; btimeSec: number }): string {
  return bootId ?? `btime:${btimeSec}`
}

/** Throws for an end that was not seen: nothing may be concluded from such a command, not even what it printed. */
function refuseUnproven(command: string, { exit, undrained }: CommandResult, session: GuestSession): void {
  const { machine, source } = session
  const shown = `"${command.slice(0, 80)}"`
  const isCut = undrained && machine.lost.aborted
  if (exit.kind === 'lost' || isCut) {
    const what = isCut ? 'the connection was lost before the end of' : 'no exit status received for'
    throw new InfraError(`${machine.label}: ${what} ${shown}`, {
      cause: 'network',
      where: source.instance,
      code: 'lost',
    })
  }
  if (exit.kind === 'unproven') {
    throw new InfraError(`${machine.label}: ${shown}: ${exit.why}`, {
      cause: 'unknown',
      where: source.instance,
      code: 'command',
    })
  }
  if (undrained && exit.kind === 'code') {
    throw new Error(`something that ${shown} left running still holds its output, so its end was not seen`)
  }
}

function outcomeOf({ exit, stdout, stderr, durationMs: took }: CommandResult): CommandOutcome {
  return {
    end: exit,
    succeeded: exit.kind === 'code' && exit.code === 0,
    stdout: stdout.text,
    stderr: stderr.text,
    truncated: stdout.truncated || stderr.truncated,
    durationMs: took,
  }
}

function describe(command: string, { exit, stdout, stderr }: CommandResult): string {
  const end = exit.kind === 'code' ? `status ${exit.code}` : exit.kind
  return `$ ${command}\n${stdout.text}${stderr.text === '' ? '' : `--- stderr\n${stderr.text}`}--- ${end}\n`
}
