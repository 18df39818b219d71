import { appendFile } from 'node:fs/promises'
import { InfraError } from '../../config/errors.js'
import { isAlive } from '../../config/process-identity.js'
import { followFile } from '../console/file.js'
import type { Ability, GuestRequest } from '../driver.js'
import { bounded, type HostLimits, untilHolds } from '../limit.js'
import { type Expectation, type Hint, sent, showing, type VmBackend } from '../managed-vm/backend.js'
import { isDown, type Observation } from '../managed-vm/observation.js'
import type { ToolOptions } from '../shared/tool.js'
import { distrustKvm } from './accelerator.js'
import { diskNode, variablesNode } from './arguments.js'
import { guardConsole } from './console.js'
import { createHotplug, peripherals } from './hotplug.js'
import { instanceFolder, removeInstance } from './instances.js'
import { keepHint } from './keep.js'
import {
  accessOf,
  consoleFile,
  factsOf,
  logFile,
  observed,
  type Preparation,
  type Started,
  startInstance,
} from './machine.js'
import { acceleratorFailed, accountOfEvent, powerOfStatus } from './power.js'
import { ownWords } from './process.js'
import type { QmpEvent } from './qmp-message.js'
import { deleteSnapshot, loadSnapshot, type SnapshotTarget, saveSnapshot } from './snapshots.js'

export interface QemuBackendRequest {
  readonly host: string
  readonly request: GuestRequest
  readonly cacheFolder: string
  readonly limits: HostLimits
  readonly abilities: ReadonlySet<Ability>
  readonly tools: (signal: AbortSignal) => ToolOptions
  /** Decides on and makes all that the instance needs before it starts. */
  readonly make: (signal: AbortSignal) => Promise<Preparation>
}

/** A backend whose QEMU can be ended without waiting. */
export interface QemuBackend extends VmBackend {
  /** Ends what runs, unless it is to be kept. */
  abandon(): void
}

/** Between two looks whether a killed QEMU is gone, in ms. */
const deadLookMs = 20
/** Whatever signal a background question to QEMU would otherwise be given. */
const never = new AbortController().signal

/** A local QEMU process as `ManagedVm` drives it. */
export function qemuBackend(given: QemuBackendRequest): QemuBackend {
  const { host, request, cacheFolder, limits, make } = given
  const { instance } = request
  const folder = instanceFolder(cacheFolder, instance)
  let preparation: Preparation | null = null
  let started: Started | null = null
  let ended: { readonly why: string } | null = null
  let account: Observation['account'] | null = null
  let tell = (_: Hint): void => {}
  const hint = (): void => tell({ type: 'seen', seen: null, askedAtMs: performance.now() })

  const running = (): Started => {
    if (started === null) {
      throw new InfraError(`${instance}: QEMU is not running`, {
        cause: 'host',
        where: instance,
        code: 'driver',
      })
    }
    return started
  }
  const prepared = (): Preparation => {
    if (preparation === null) {
      throw new InfraError(`${instance}: it was not prepared`, {
        cause: 'runner',
        where: instance,
        code: 'driver',
      })
    }
    return preparation
  }
  /** What QEMU refuses is trouble of the host. */
  const told = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw error instanceof InfraError || !(error instanceof Error)
        ? error
        : new InfraError(
            `${instance}: ${error.message}`,
            { cause: 'host', where: instance, code: 'driver' },
            { cause: error },
          )
    })
  const execute = (
    command: string,
    signal: AbortSignal,
    args: Readonly<Record<string, unknown>> = {},
  ): Promise<unknown> => told(running().launched.qmp.execute(command, args, limits.command, signal))
  const becomes = (what: string, power: Observation['power']): Expectation => {
    return { what, cause: 'host', limit: limits.command, holds: seen => seen.power === power }
  }
  const observe: VmBackend['observe'] = async ({ devices }, signal) => {
    const common = { incarnation: identityOf(started), host, devices: null }
    if (started === null || started.launched.process.hasEnded()) {
      const why = ended === null ? 'it was not started' : `QEMU ended unexpectedly: ${ended.why}`
      return { ...common, power: 'off', said: 'ended', account: account ?? { cause: 'host', why } }
    }
    const { qmp } = started.launched
    const status = await execute('query-status', signal).catch((error: unknown) => {
      if (qmp.closed.aborted) {
        return null
      }
      throw error
    })
    if (status === null) {
      await bounded(started.launched.process.ended, instance, 'the end of QEMU', limits.destroy, signal)
      return observe({ devices }, signal)
    }
    const seen = powerOfStatus(status)
    if (seen.said === acceleratorFailed && prepared().choice.accelerator === 'kvm') {
      void distrustKvm(cacheFolder, `it failed under ${instance}`).catch(() => {})
    }
    const why = seen.account ?? account
    return {
      ...common,
      ...seen,
      ...(why == null || seen.power === 'on' ? {} : { account: why }),
      devices: devices ? await peripherals(execute, signal) : null,
    }
  }
  const start: VmBackend['start'] = async signal => {
    if (started !== null && !started.launched.process.hasEnded()) {
      await execute('cont', signal)
      return showing(becomes('resume it', 'on'))
    }
    account = null
    started = await told(startInstance(prepared(), signal))
    listen(started)
    return showing({ ...becomes('start QEMU', 'on'), limit: limits.start })
  }
  const snapshots = (): SnapshotTarget => {
    const nodes = prepared().uefi === null ? [diskNode] : [diskNode, variablesNode]
    return { qmp: running().launched.qmp, where: instance, nodes, limit: limits.snapshot }
  }
  const plain =
    (command: string): NonNullable<VmBackend['reset']> =>
    async signal => {
      await execute(command, signal)
      return sent()
    }

  return {
    instance,
    limits,
    graceMs: 0,
    restarts: 'host',
    lent: false,
    keepHint: keepHint(folder),
    prepare: async signal => {
      preparation = await make(signal)
    },
    begin: start,
    start,
    observe,
    describe: async signal => {
      const { launched } = running()
      return {
        host,
        incarnation: identityOf(started),
        abilities: given.abilities,
        console: followFile(consoleFile(request)),
        facts: { ...factsOf(prepared(), launched), ...(await told(observed(prepared(), launched, signal))) },
      }
    },
    watch: told => {
      tell = told
      return () => {
        tell = () => {}
      }
    },
    access: async () => accessOf(running().launched, prepared().base),
    requestShutdown: async signal => {
      await execute('system_powerdown', signal)
      return showing({ what: 'shut down', cause: 'guest', limit: limits.shutdown, holds: isDown })
    },
    kill: async () => {
      await end()
      return sent()
    },
    pause: async signal => {
      await execute('stop', signal)
      return showing(becomes('pause it', 'paused'))
    },
    resume: async signal => {
      await execute('cont', signal)
      return showing(becomes('resume it', 'on'))
    },
    reset: plain('system_reset'),
    nmi: plain('inject-nmi'),
    snapshot: async (name, signal) => {
      await saveSnapshot(snapshots(), name, signal)
      return sent()
    },
    revert: async (name, signal) => {
      await loadSnapshot(snapshots(), name, signal)
      // A guest that was paused is paused after loading; reverted means running.
      await execute('cont', signal)
      return showing(becomes('run from its snapshot', 'on'))
    },
    deleteSnapshot: async (name, signal) => {
      await deleteSnapshot(snapshots(), name, signal)
      return sent()
    },
    ...createHotplug({
      execute,
      where: instance,
      limits,
      folder,
      nicDevice: () => prepared().hardware.nicDevice,
      tools: given.tools,
    }),
    remove: async () => {
      // What could not be made may be another runner's.
      if (preparation !== null) {
        await end()
        await removeInstance(folder)
        started = null
        preparation = null
      }
    },
    abandon: () => {
      if (request.outlives !== true) {
        started?.launched.process.kill()
      }
    },
  }

  function listen({ launched: { qmp, process } }: Started): void {
    qmp.onEvent(event => {
      note(event)
      account = accountOfEvent(event) ?? account
      if (event.name === 'GUEST_PANICKED') {
        // It may reboot or dump by itself: the virtual machine is not gone. The console has told of it before.
        tell({ type: 'panicked', why: 'the guest panicked' })
      } else if (event.name === 'STOP' || accountOfEvent(event) !== null) {
        hint()
      }
    })
    const stopGuarding = guardConsole(qmp, consoleFile(request), limits.command, {
      maxBytes: limits.consoleBytes,
      everyMs: limits.watchEvery.ms,
    })
    ended = null
    void process.ended.then(why => {
      stopGuarding()
      ended = { why }
      // What QEMU said last is read before its end is judged.
      if (qmp.closed.aborted) {
        hint()
      } else {
        qmp.closed.addEventListener('abort', hint, { once: true })
      }
    })
    if (request.outlives === true) {
      process.keep()
      qmp.unref()
    }
  }

  /** What QEMU tells is evidence; that it cannot be written is not a reason to lose a guest. */
  function note({ name, data }: QmpEvent): void {
    const line = `${ownWords}${new Date().toISOString()} ${name} ${JSON.stringify(data)}\n`
    void appendFile(logFile(request), line).catch(() => {})
  }

  /** Its shell may end before QEMU itself does, which still has locks on its files then. */
  async function end(): Promise<void> {
    if (started === null) {
      return
    }
    const { process, identity } = started.launched
    process.kill()
    await bounded(process.ended, instance, 'the end of QEMU', limits.destroy, never)
    const look = { limit: limits.destroy, everyMs: deadLookMs, signal: never }
    if (!(await untilHolds(() => !isAlive(identity), look))) {
      const { name, ms } = limits.destroy
      const message = `${instance}: QEMU did not exit within ${name} (${ms} ms)`
      throw new InfraError(message, { cause: 'host', where: instance, code: 'limit', limit: name })
    }
  }
}

function identityOf(started: Started | null): string | null {
  const identity = started?.launched.identity
  return identity === undefined ? null : `${identity.pid} ${identity.startTime}`
}
