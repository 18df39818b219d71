import { InfraError } from '../../config/errors.js'
import { watchConsole } from '../console/watch.js'
import type { Access, RunningGuest } from '../driver.js'
import { bounded, type HostLimits, type Limit } from '../limit.js'
import { diskNode, variablesNode } from './arguments.js'
import { guardConsole } from './console.js'
import { followFile } from './console-file.js'
import type { Launched } from './launch.js'
import { type Loss, lossError, lossOfEvent, lossOfStatus } from './loss.js'
import { isRecord, type QmpEvent } from './qmp-message.js'
import { loadSnapshot, type SnapshotTarget, saveSnapshot } from './snapshots.js'

export interface GuestSetting {
  readonly where: string
  readonly launched: Launched
  readonly access: Access
  readonly facts: Readonly<Record<string, string>>
  readonly limits: HostLimits
  readonly uefi: boolean
  readonly snapshots: boolean
  readonly consoleFile: string
  readonly onEvent: (event: QmpEvent) => void
  readonly onLoss: (loss: Loss) => void
}

/** A virtual machine of QEMU that runs. */
export interface QemuGuest extends RunningGuest {
  hasEnded(): boolean
  /** Ends it at once, without waiting. */
  kill(): void
  /** Ends it at once; resolves when it has. */
  end(): Promise<void>
  /** Lets it outlive the runner, which goes on watching it. */
  keep(): void
}

/** Whatever signal a background question to QEMU would otherwise be given. */
const never = new AbortController().signal

export function createGuest(setting: GuestSetting): QemuGuest {
  const { where, launched, limits } = setting
  const { qmp, process } = launched
  const gone = new AbortController()
  const console = watchConsole({
    where,
    read: followFile(setting.consoleFile),
    everyMs: limits.consoleEvery.ms,
  })
  let asked = false
  const lose = (loss: Loss): void => {
    if (!asked && !gone.signal.aborted) {
      setting.onLoss(loss)
      gone.abort(lossError(where, loss))
    }
  }
  qmp.onEvent(event => {
    setting.onEvent(event)
    const loss = lossOfEvent(event)
    if (loss !== null) {
      lose(loss)
    } else if (event.name === 'GUEST_PANICKED') {
      // It may reboot or dump by itself: the virtual machine is not gone. The console has told of it before.
      void console.tell('the guest panicked')
    } else if (event.name === 'STOP') {
      void askStatus().catch(() => {})
    }
  })
  const askStatus = async (): Promise<void> => {
    const loss = lossOfStatus(await qmp.execute('query-status', {}, limits.command, never))
    if (loss !== null) {
      lose(loss)
    }
  }
  const stopGuarding = guardConsole(qmp, setting.consoleFile, limits.command, {
    maxBytes: limits.consoleSize.ms,
    everyMs: limits.watchEvery.ms,
  })
  void process.ended.then(async how => {
    stopGuarding()
    // What the guest said last outranks the end of its virtual machine.
    await console.look(never).catch(() => {})
    console.close()
    // What QEMU said last is read before its end is judged.
    const judge = (): void =>
      lose({ cause: 'host', why: `QEMU ended unasked: ${how}`, acceleratorFailed: false })
    if (qmp.closed.aborted) {
      judge()
    } else {
      qmp.closed.addEventListener('abort', judge, { once: true })
    }
  })

  const command = (name: string, signal: AbortSignal): Promise<unknown> => {
    return qmp.execute(name, {}, limits.command, signal).catch(error => {
      throw hostError(where, error)
    })
  }
  const kill = (): void => {
    asked = true
    process.kill()
  }
  const ends = async (limit: Limit, signal: AbortSignal): Promise<void> => {
    await bounded(process.ended, where, 'the end of QEMU', limit, signal)
  }
  return {
    facts: setting.facts,
    gone: gone.signal,
    console,
    access: async () => setting.access,
    pause: async signal => {
      await command('stop', signal)
    },
    resume: async signal => {
      await command('cont', signal)
    },
    reset: async signal => {
      await command('system_reset', signal)
    },
    ...(setting.snapshots ? snapshotAbility(setting, command) : {}),
    stop: async signal => {
      asked = true
      await stopGently(setting, command, ends, signal)
      if (!process.hasEnded()) {
        process.kill()
        await ends(limits.destroy, never)
      }
    },
    hasEnded: () => process.hasEnded(),
    kill,
    end: async () => {
      kill()
      await ends(limits.destroy, never)
    },
    keep: () => {
      process.keep()
      qmp.unref()
    },
  }
}

type Command = (name: string, signal: AbortSignal) => Promise<unknown>

function snapshotAbility(
  { where, launched, limits, uefi }: GuestSetting,
  command: Command,
): Pick<Required<RunningGuest>, 'snapshot' | 'revert'> {
  const nodes = uefi ? [diskNode, variablesNode] : [diskNode]
  const target: SnapshotTarget = { qmp: launched.qmp, where, nodes, limit: limits.snapshot }
  return {
    snapshot: async (name, signal) => {
      await saveSnapshot(target, name, signal)
    },
    revert: async (name, signal) => {
      await loadSnapshot(target, name, signal)
      // A guest that was paused is paused after loading; reverted means running.
      await command('cont', signal)
    },
  }
}

/** Presses the power button and waits, then tells QEMU to quit. Comes back when it ended or will not. */
async function stopGently(
  { launched, limits }: GuestSetting,
  command: Command,
  ends: (limit: Limit, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { process } = launched
  const tried = async (step: () => Promise<void>): Promise<void> => {
    if (!process.hasEnded() && !signal.aborted) {
      // Whatever keeps this step from its end, the next one is harder.
      await step().catch(() => {})
    }
  }
  await tried(async () => {
    const status = await command('query-status', signal)
    if (isRecord(status) && status.running === true) {
      await command('system_powerdown', signal)
      await ends(limits.shutdown, signal)
    }
  })
  await tried(async () => {
    await command('quit', signal)
    await ends(limits.destroy, signal)
  })
}

function hostError(where: string, error: unknown): unknown {
  return error instanceof InfraError || !(error instanceof Error)
    ? error
    : new InfraError(`${where}: ${error.message}`, { cause: 'host', where, code: 'driver' }, { cause: error })
}
