import type { Bytes } from '../files/bytes.js'
import { describe, SystemError } from '../files/errno.js'
import { absolute } from '../files/tree.js'
import { setOptions } from '../shell/builtins/environment.js'
import { interpreter } from '../shell/interpreter.js'
import { Shell } from '../shell/shell.js'
import type { Call, Program } from '../system/programs.js'
import type { ShellFlavour } from '../system/system.js'
import { readAll } from './io.js'
import { complain } from './streams.js'

/** What a shell was asked to run. */
interface Invocation {
  readonly text: Bytes
  readonly name: Bytes
  readonly positional: readonly Bytes[]
  readonly options: readonly Bytes[]
}

async function readInvocation(call: Call): Promise<Invocation | number> {
  const options: Bytes[] = []
  let command = false
  let input = false
  let at = 0
  for (; at < call.args.length; at++) {
    const arg = call.args[at] ?? ''
    if (arg === '--') {
      at++
      break
    }
    if (!/^[-+]./.test(arg) || arg.startsWith('--')) {
      if (arg.startsWith('--')) continue
      break
    }
    if (/^[-+]o$/.test(arg)) {
      options.push(arg, call.args[++at] ?? '')
      continue
    }
    if (arg.startsWith('-') && arg.includes('c')) command = true
    if (arg.startsWith('-') && arg.includes('s')) input = true
    const letters = arg.slice(1).replace(/[cslip]/g, '')
    if (letters !== '') options.push(`${arg.charAt(0)}${letters}`)
  }
  const rest = call.args.slice(at)
  if (command) {
    const [text, name, ...positional] = rest
    if (text === undefined) return complain(call, '-c: option requires an argument').then(() => 2)
    return { text, name: name ?? call.name, positional, options }
  }
  const [file, ...positional] = rest
  if (file === undefined || input) {
    const text = (await readAll(call.process, 0)).toString('latin1')
    return { text, name: call.name, positional: rest, options }
  }
  try {
    return {
      text: call.system.tree.read(absolute(call.process.cwd, file), call.process),
      name: file,
      positional,
      options,
    }
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    const dash = call.system.flavour === 'dash'
    return complain(call, dash ? `0: cannot open ${file}: No such file` : `${file}: ${describe(error)}`).then(
      () => (dash ? 2 : 127),
    )
  }
}

/** A shell; `sh` is of the kind that the persona says. */
export function shellProgram(flavour?: ShellFlavour): Program {
  return async call => {
    const invocation = await readInvocation(call)
    if (typeof invocation === 'number') return invocation
    const shell = new Shell(
      call.system,
      call.process,
      interpreter,
      flavour ?? call.system.flavour,
      invocation.name,
    )
    shell.importEnvironment(call.env)
    await setOptions(shell, invocation.options.length > 0 ? invocation.options : ['+x'])
    shell.positional = invocation.positional
    return shell.main(invocation.text)
  }
}
