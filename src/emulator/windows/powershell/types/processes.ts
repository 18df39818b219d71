import { findProgram, startProgram } from '../../system/context.js'
import { bufferSource } from '../../system/io.js'
import { toNumber } from '../convert.js'
import { methodFailure } from '../errors.js'
import { environmentOf } from '../places.js'
import type { Frame } from '../runtime.js'
import { textOf } from '../text.js'
import { isTrue, NetObject, nothing, type Value } from '../values.js'
import type { Statics } from './statics.js'

/** A ProcessStartInfo: what is set of it is kept. */
export function startInfo([file = null, args = null]: readonly Value[]): NetObject {
  const values: Record<string, Value> = {
    filename: textOf(file),
    arguments: textOf(args),
    useshellexecute: true,
    redirectstandardoutput: false,
    redirectstandarderror: false,
    redirectstandardinput: false,
    createnowindow: false,
    workingdirectory: '',
    verb: '',
  }
  const get: Record<string, () => Value> = {}
  const set: Record<string, (value: Value) => void> = {}
  for (const name of Object.keys(values)) {
    get[name] = () => values[name] ?? null
    set[name] = value => {
      values[name] = value
    }
  }
  return new NetObject('System.Diagnostics.ProcessStartInfo', { get, set, inner: values })
}

/** Starts a program as [Diagnostics.Process]::Start does. Throws PsError. */
export function startProcess(info: NetObject, frame: Frame): NetObject {
  const { call } = frame.shell
  const values = info.inner as Readonly<Record<string, Value>>
  const name = textOf(values.filename ?? null)
  const found = findProgram({ ...call, env: environmentOf(frame.shell) }, name)
  const tail = textOf(values.arguments ?? null)
  // Standard handles are the parent's unless the shell starts it.
  const started =
    found &&
    startProgram(call, found, name, tail === '' ? '' : ` ${tail}`, {
      io: {
        ...call.io,
        stdin: isTrue(values.redirectstandardinput ?? false) ? bufferSource(Buffer.alloc(0)) : call.io.stdin,
      },
      env: environmentOf(frame.shell),
    })
  if (!started)
    throw methodFailure(
      'Start',
      1,
      'The system cannot find the file specified',
      'System.ComponentModel.Win32Exception',
    )
  let code: number | undefined
  const exit = started.exit.then(it => {
    code = it | 0
    return code
  })
  return new NetObject('System.Diagnostics.Process', {
    get: {
      id: () => started.process.pid,
      exitcode: () => code ?? null,
      hasexited: () => code !== undefined,
      processname: () => started.process.image.replace(/\.exe$/i, ''),
    },
    methods: {
      waitforexit: async ([ms]) => {
        if (ms === undefined) {
          await call.process.whileAlive(exit)
          return nothing
        }
        const late = call.process.sleep(toNumber(ms)).then(() => false)
        return call.process.whileAlive(Promise.race([exit.then(() => true), late]))
      },
      kill: () => {
        started.process.terminate(0xffffffff)
        return nothing
      },
      close: () => nothing,
      dispose: () => nothing,
    },
  })
}

/** Statics of System.Diagnostics.Process. */
export const processStatics: Readonly<Record<string, Statics>> = {
  'system.diagnostics.process': {
    start: (args, frame) => startProcess(args[0] instanceof NetObject ? args[0] : startInfo(args), frame),
    getcurrentprocess: (_, { shell }) =>
      new NetObject('System.Diagnostics.Process', {
        get: {
          id: () => shell.call.process.pid,
          processname: () => 'powershell',
          sessionid: () => shell.call.process.session,
        },
      }),
  },
}
