import { toNumber } from '../convert.js'
import { PsError } from '../errors.js'
import type { Frame, PowerShell } from '../runtime.js'
import { textOf } from '../text.js'
import { NetObject, nothing, ScriptBlock, type Value } from '../values.js'

/** Lets so many scripts run at once; the others wait for their turn. */
class Pool {
  readonly #most: number
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(most: number) {
    this.#most = most
  }

  async enter(): Promise<void> {
    while (this.#running >= this.#most) await new Promise<void>(resolve => this.#waiting.push(resolve))
    this.#running++
  }

  leave(): void {
    this.#running--
    this.#waiting.shift()?.()
  }
}

/** A RunspacePool, or a single Runspace as a pool of one. */
export function makePool(args: readonly Value[]): NetObject {
  const pool = new Pool(Math.max(1, toNumber(args[1] ?? 1)))
  return new NetObject('System.Management.Automation.Runspaces.RunspacePool', {
    methods: {
      open: () => nothing,
      close: () => nothing,
      dispose: () => nothing,
      setmaxrunspaces: () => true,
    },
    inner: { pool },
  })
}

/** A [PowerShell] that runs scripts in a runspace of its own. */
export function makePowerShell(frame: Frame): NetObject {
  const scripts: ScriptBlock[] = []
  const args: Value[] = []
  const named = new Map<string, Value>()
  const errors: Value[] = []
  let pool: Pool | undefined
  let stop: ((reason: Error) => void) | undefined
  let running: Promise<Value[]> | undefined
  let settled = false
  const own: PowerShell = frame.shell.another()
  const set = (value: Value): void => {
    pool = value instanceof NetObject ? (value.inner as { pool?: Pool } | undefined)?.pool : undefined
  }
  const work = async (): Promise<Value[]> => {
    const found: Value[] = []
    await pool?.enter()
    try {
      const inner: Frame = {
        shell: own,
        scope: own.global,
        emit: value => void found.push(value),
        errors: async record => void errors.push(record),
        guarded: false,
      }
      const stopped = new Promise<never>((_, reject) => {
        stop = reject
      })
      stopped.catch(() => {})
      for (const script of scripts)
        await Promise.race([own.run(script, args, inner, { sameScope: true, named }), stopped])
    } catch (error) {
      if (!(error instanceof PsError)) throw error
      errors.push(error.record)
    } finally {
      pool?.leave()
      settled = true
    }
    return found
  }
  const begin = (): NetObject => {
    running = work()
    running.catch(() => {})
    const { process } = frame.shell.call
    const wait = new NetObject('System.Threading.WaitHandle', {
      methods: {
        waitone: async ([ms]) => {
          const done = (running ?? Promise.resolve([])).then(
            () => true,
            () => true,
          )
          if (ms === undefined || toNumber(ms) < 0) return process.whileAlive(done)
          return process.whileAlive(Promise.race([done, process.sleep(toNumber(ms)).then(() => settled)]))
        },
        close: () => nothing,
      },
    })
    return new NetObject('System.Management.Automation.PowerShellAsyncResult', {
      get: { iscompleted: () => settled, asyncwaithandle: () => wait },
    })
  }
  const self: NetObject = new NetObject('System.Management.Automation.PowerShell', {
    get: {
      runspacepool: () => null,
      haderrors: () => errors.length > 0,
      streams: () =>
        new NetObject('System.Management.Automation.PSDataStreams', {
          get: {
            error: () => new NetObject('System.Management.Automation.PSDataCollection', { inner: errors }),
          },
        }),
    },
    set: { runspacepool: set, runspace: set },
    methods: {
      addscript: async ([script = null]) => {
        scripts.push(
          script instanceof ScriptBlock
            ? await own.blockOf(script.block.source)
            : await own.blockOf(textOf(script)),
        )
        return self
      },
      addargument: ([value = null]) => {
        args.push(value)
        return self
      },
      addparameter: ([name = null, value = true]) => {
        named.set(textOf(name).toLowerCase(), value)
        return self
      },
      begininvoke: begin,
      endinvoke: async () => (running ? frame.shell.call.process.whileAlive(running) : []),
      invoke: async () => {
        begin()
        return running ? frame.shell.call.process.whileAlive(running) : []
      },
      stop: () => {
        stop?.(
          new PsError(
            new NetObject('System.Management.Automation.ErrorRecord', {
              text: () => 'The pipeline has been stopped.',
            }),
          ),
        )
        return nothing
      },
      dispose: () => nothing,
    },
  })
  return self
}
