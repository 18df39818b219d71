import { InfraError } from '../../config/errors.js'
import { followFile } from '../console/file.js'
import { watchConsole } from '../console/watch.js'
import type { Access, RunningGuest } from '../driver.js'
import { bounded, type HostLimits, type Limit, untilHolds } from '../limit.js'
import { diskNode, variablesNode } from './arguments.js'
import { guardConsole } from './console.js'
import { createHotplug, type HotplugSetting } from './hotplug.js'
import { isAlive } from './instances.js'
import type { Launched } from './launch.js'
import { type Loss, lossError, lossOfEvent, lossOfStatus } from './loss.js'
import { isRecord, type QmpEvent } from './qmp-message.js'
import { deleteSnapshot, loadSnapshot, type SnapshotTarget, saveSnapshot } from './snapshots.js'

/** A QEMU that was started for a guest, and how the guest is reached now. */
export interface Started {
  readonly launched: Launched
  readonly access: Access
}

export interface GuestSetting {
  readonly where: string
  readonly started: Started
  /** Starts QEMU again on the same disk. */
  readonly restart: (signal: AbortSignal) => Promise<Started>
  readonly facts: Readonly<Record<string, string>>
  readonly limits: HostLimits
  readonly uefi: boolean
  readonly snapshots: boolean
  /** `null` where the machine takes no devices while it runs. */
  readonly hotplug: Omit<HotplugSetting, 'qmp' | 'where' | 'limits'> | null
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

/** Between two looks whether a killed QEMU is gone. */
const deadLookMs = 20
/** Whatever signal a background question to QEMU would otherwise be given. */
const never = new AbortController().signal

export function createGuest(setting: GuestSetting): QemuGuest {
  const { where, limits } = setting
  const gone = new AbortController()
  const console = watchConsole({
    where,
    read: followFile(setting.consoleFile),
    everyMs: limits.consoleEvery.ms,
  })
  let { launched, access } = setting.started
  /** True while an end of QEMU is wanted. */
  let asked = false
  let isKept = false
  const lose = (loss: Loss): void => {
    if (!asked && !gone.signal.aborted) {
      setting.onLoss(loss)
      gone.abort(lossError(where, loss))
    }
  }
  const watch = ({ qmp, process }: Launched): void => {
    const askStatus = async (): Promise<void> => {
      const loss = lossOfStatus(await qmp.execute('query-status', {}, limits.command, never))
      if (loss !== null) {
        lose(loss)
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
    const stopGuarding = guardConsole(qmp, setting.consoleFile, limits.command, {
      maxBytes: limits.consoleBytes,
      everyMs: limits.watchEvery.ms,
    })
    void process.ended.then(async how => {
      stopGuarding()
      if (asked) {
        return
      }
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
  }
  watch(launched)

  const command = (name: string, signal: AbortSignal): Promise<unknown> => {
    return launched.qmp.execute(name, {}, limits.command, signal).catch(error => {
      throw hostError(where, error)
    })
  }
  const simple = (name: string) => async (signal: AbortSignal) => void (await command(name, signal))
  const ends = async (limit: Limit, signal: AbortSignal): Promise<void> => {
    await bounded(launched.process.ended, where, 'the end of QEMU', limit, signal)
  }
  const kill = (): void => {
    asked = true
    console.close()
    launched.process.kill()
  }
  const keep = (): void => {
    isKept = true
    launched.process.keep()
    launched.qmp.unref()
  }
  /** Ends QEMU on purpose; as long as it runs, whatever happens to it is a loss again. */
  const turnOff = async (how: () => Promise<void>): Promise<void> => {
    if (!launched.process.hasEnded()) {
      asked = true
      try {
        await how()
      } finally {
        asked = launched.process.hasEnded()
      }
    }
  }
  return {
    facts: setting.facts,
    gone: gone.signal,
    console,
    access: async () => access,
    pause: simple('stop'),
    resume: simple('cont'),
    reset: simple('system_reset'),
    nmi: simple('inject-nmi'),
    shutdown: signal => turnOff(() => shutDown(where, command, ends, limits.shutdown, signal)),
    powerOff: () =>
      turnOff(async () => {
        launched.process.kill()
        await ends(limits.destroy, never)
        await untilDead(launched, where, limits.destroy)
      }),
    powerOn: async signal => {
      if (launched.process.hasEnded() && !gone.signal.aborted) {
        ;({ launched, access } = await setting.restart(signal))
        asked = false
        watch(launched)
        if (isKept) {
          keep()
        }
      }
    },
    ...(setting.snapshots ? snapshotAbility(setting, () => launched, command) : {}),
    ...(setting.hotplug === null
      ? {}
      : createHotplug({ ...setting.hotplug, qmp: () => launched.qmp, where, limits })),
    stop: async signal => {
      asked = true
      const { process } = launched
      await stopGently(process, command, ends, limits, signal)
      if (!process.hasEnded()) {
        process.kill()
        await ends(limits.destroy, never)
      }
      console.close()
    },
    hasEnded: () => launched.process.hasEnded(),
    kill,
    end: async () => {
      kill()
      await ends(limits.destroy, never)
    },
    keep,
  }
}

/** Its shell may end before QEMU itself does, which still has locks on its files then. */
async function untilDead({ identity }: Launched, where: string, limit: Limit): Promise<void> {
  const isGone = await untilHolds(() => !isAlive(identity), { limit, everyMs: deadLookMs, signal: never })
  if (!isGone) {
    const { name, ms } = limit
    const message = `${where}: the end of QEMU did not come within ${name} (${ms} ms)`
    throw new InfraError(message, { cause: 'host', where, code: 'limit', limit: name })
  }
}

type Command = (name: string, signal: AbortSignal) => Promise<unknown>
type Ends = (limit: Limit, signal: AbortSignal) => Promise<void>

function snapshotAbility(
  { where, limits, uefi }: GuestSetting,
  launched: () => Launched,
  command: Command,
): Pick<Required<RunningGuest>, 'snapshot' | 'revert' | 'deleteSnapshot'> {
  const nodes = uefi ? [diskNode, variablesNode] : [diskNode]
  const target = (): SnapshotTarget => ({ qmp: launched().qmp, where, nodes, limit: limits.snapshot })
  return {
    snapshot: async (name, signal) => {
      await saveSnapshot(target(), name, signal)
    },
    revert: async (name, signal) => {
      await loadSnapshot(target(), name, signal)
      // A guest that was paused is paused after loading; reverted means running.
      await command('cont', signal)
    },
    deleteSnapshot: (name, signal) => deleteSnapshot(target(), name, signal),
  }
}

/** Presses the power button and waits until QEMU has ended. Throws InfraError: the guest's fault when it has not. */
async function shutDown(
  where: string,
  command: Command,
  ends: Ends,
  limit: Limit,
  signal: AbortSignal,
): Promise<void> {
  const status = await command('query-status', signal)
  if (isRecord(status) && status.running !== true) {
    await command('cont', signal)
  }
  await command('system_powerdown', signal)
  try {
    await ends(limit, signal)
  } catch (error) {
    if (error instanceof InfraError && error.context.code === 'limit') {
      const message = `${where}: the guest did not shut down within ${limit.name} (${limit.ms} ms)`
      throw new InfraError(message, { ...error.context, cause: 'guest' })
    }
    throw error
  }
}

/** Presses the power button and waits, then tells QEMU to quit. Comes back when it ended or will not. */
async function stopGently(
  process: Launched['process'],
  command: Command,
  ends: Ends,
  limits: HostLimits,
  signal: AbortSignal,
): Promise<void> {
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
