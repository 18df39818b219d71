import { resolvePath } from '../store/files.js'
import { findProgram, startProgram } from '../system/context.js'
import { bufferSource, collector, emptySource } from '../system/io.js'
import { decode, decodeMarked, encode } from '../text/code-pages.js'
import { aliases } from './cmdlets/aliases.js'
import { type Bound, bind, runCmdlet } from './cmdlets/cmdlet.js'
import { cmdlets } from './cmdlets/table.js'
import { cast } from './convert.js'
import { ExitSignal, errorRecord, fail, notRecognized } from './errors.js'
import { formatValues } from './format.js'
import type { Argument, Element, Expression, StreamRedirection } from './parse/ast.js'
import { parseScript } from './parse/parser.js'
import { environmentOf } from './places.js'
import type { Frame } from './runtime.js'
import { textOf } from './text.js'
import { isArray, itemsOf, NetObject, nothing, PsHash, ScriptBlock, type Value } from './values.js'

type Command = Extract<Element, { kind: 'command' }>

/** Runs a pipeline: each part gets what the one before it gave. */
export async function runPipeline(elements: readonly Element[], frame: Frame): Promise<void> {
  let input: Value[] | undefined
  for (const [index, element] of elements.entries()) {
    const last = index === elements.length - 1
    const found: Value[] = []
    const inner: Frame = last ? frame : { ...frame, emit: value => void found.push(value) }
    if (element.kind === 'expression') await runExpression(element.expression, inner)
    else await redirected(element, input, inner)
    input = found
  }
}

async function runExpression(expression: Expression, frame: Frame): Promise<void> {
  const value = await frame.shell.evaluate(expression, frame)
  if (value === nothing || expression.kind === 'step') return
  if (isArray(value)) for (const item of itemsOf(value)) await frame.emit(item)
  else if (value instanceof NetObject && Array.isArray(value.inner))
    for (const item of itemsOf(value)) await frame.emit(item)
  else await frame.emit(value)
}

async function redirected(
  element: Command,
  input: readonly Value[] | undefined,
  frame: Frame,
): Promise<void> {
  let inner = frame
  const files: { readonly path: string; readonly append: boolean; readonly values: Value[] }[] = []
  for (const redirection of element.redirections) inner = await redirect(redirection, inner, files)
  await runCommand(element, input, inner)
  for (const { path, append, values } of files) {
    const text = formatValues(values, frame.shell)
    const { files: volume } = frame.shell.call.system
    const start = append && volume.find(path) ? Buffer.alloc(0) : Buffer.from([0xff, 0xfe])
    volume.write(path, Buffer.concat([start, encode(text, 1200)]), append)
  }
}

async function redirect(
  { stream, append, target }: StreamRedirection,
  frame: Frame,
  files: { path: string; append: boolean; values: Value[] }[],
): Promise<Frame> {
  if (!target) return { ...frame, errors: async record => void (await frame.emit(record)) }
  const value = await frame.shell.evaluate(target, frame)
  if (value === null || /^nul$/i.test(textOf(value))) {
    if (stream === '2' || stream === '*')
      return { ...frame, errors: async () => {}, ...(stream === '*' ? { emit: () => {} } : {}) }
    return stream === '1' ? { ...frame, emit: () => {} } : frame
  }
  const file = { path: resolvePath(frame.shell.call.cwd, textOf(value)), append, values: [] as Value[] }
  files.push(file)
  if (stream === '2') return { ...frame, errors: async record => void file.values.push(record) }
  return { ...frame, emit: it => void file.values.push(it) }
}

async function runCommand(
  element: Command,
  input: readonly Value[] | undefined,
  frame: Frame,
): Promise<void> {
  const { shell } = frame
  const called = await frame.shell.evaluate(element.name, frame)
  if (called instanceof ScriptBlock) {
    const { named, positional } = await argumentsFor(called, element.args, frame)
    return shell.run(called, positional, frame, {
      ...(input ? { input } : {}),
      named,
      sameScope: element.operator === '.',
    })
  }
  if (called === null)
    throw fail({
      message:
        "The expression after '&' in a pipeline element produced an object that was not valid. It must result in a command name, a script block, or a CommandInfo object.",
      id: 'BadExpression',
      category: 'InvalidOperation',
    })
  const name = textOf(called)
  const functionBlock = frame.scope.findFunction(name)
  if (functionBlock) {
    const { named, positional } = await argumentsFor(functionBlock, element.args, frame)
    return shell.run(functionBlock, positional, frame, { ...(input ? { input } : {}), named })
  }
  const plain = name.replace(/^(?:Microsoft\.PowerShell\.\w+|CimCmdlets)\\/i, '').toLowerCase()
  const cmdlet = cmdlets.get(aliases[plain] ?? plain)
  if (cmdlet && (cmdlet.since ?? 1) <= shell.major) {
    const bound: Bound = bind(cmdlet, await evaluated(element.args, frame), shell)
    return runCmdlet(cmdlet, bound, input ?? [], frame, input !== undefined)
  }
  await runNative(name, element, input, frame)
}

interface Given {
  readonly name: string | undefined
  readonly value: Value
  readonly present: boolean
}

async function evaluated(args: readonly Argument[], frame: Frame): Promise<Given[]> {
  const found: Given[] = []
  for (const { name, value } of args) {
    if (value?.kind === 'variable' && value.scope === '@') {
      const splat = frame.scope.get(value.name)
      if (splat instanceof PsHash)
        for (const it of splat.entries.values())
          found.push(
            { name: textOf(it.key), value: null, present: false },
            { name: undefined, value: it.value, present: true },
          )
      else for (const it of itemsOf(splat)) found.push({ name: undefined, value: it, present: true })
      continue
    }
    found.push({
      name,
      value: value ? await frame.shell.evaluate(value, frame) : null,
      present: value !== undefined,
    })
  }
  return found
}

/** Binds the arguments of a script block or function to its parameters. */
async function argumentsFor(
  { block }: ScriptBlock,
  args: readonly Argument[],
  frame: Frame,
): Promise<{ named: Map<string, Value>; positional: Value[] }> {
  const given = await evaluated(args, frame)
  const named = new Map<string, Value>()
  const positional: Value[] = []
  for (let at = 0; at < given.length; at++) {
    const it = given[at]
    if (!it) continue
    if (it.name === undefined) {
      positional.push(it.value)
      continue
    }
    const wanted = it.name.toLowerCase()
    const parameter =
      block.parameters.find(one => one.name.toLowerCase() === wanted) ??
      block.parameters.find(one => one.name.toLowerCase().startsWith(wanted))
    if (!parameter) {
      positional.push(`-${it.name}`)
      continue
    }
    const isSwitch = /^switch$/i.test(parameter.type ?? '')
    const next = given[at + 1]
    if (it.present) named.set(parameter.name.toLowerCase(), it.value)
    else if (isSwitch || !next || next.name !== undefined) named.set(parameter.name.toLowerCase(), true)
    else {
      named.set(parameter.name.toLowerCase(), next.value)
      at++
    }
  }
  return { named, positional }
}

/** Gives a parameter its type. */
export function typed(value: Value, type: string | undefined, frame: Frame): Value {
  return type === undefined || value === null ? value : cast(value, type, ms => frame.shell.offsetMinutes(ms))
}

/** PowerShell puts quotes around an argument with blanks, and does nothing about quotes inside it. */
function nativeArgument(value: Value): string {
  const text = textOf(value)
  return text === '' || /\s/.test(text) ? `"${text}"` : text
}

async function runNative(
  name: string,
  element: Command,
  input: readonly Value[] | undefined,
  frame: Frame,
): Promise<void> {
  const { shell, scope } = frame
  const { call } = shell
  const found = findProgram({ ...call, env: environmentOf(shell) }, name)
  if (!found || !/\.(?:exe|com|cmd|bat)$/i.test(found.path)) {
    if (found && /\.ps1$/i.test(found.path)) {
      return runScriptFile(found.path, element, frame)
    }
    throw notRecognized(name)
  }
  const given = await evaluated(element.args, frame)
  const words = given.flatMap(it => [
    ...(it.name === undefined ? [] : [`-${it.name}${it.present ? ':' : ''}`]),
    ...(it.present ? itemsOf(it.value).map(nativeArgument) : []),
  ])
  const tail = words.map(word => ` ${word}`).join('')
  const output = collector()
  const errors = collector()
  const page = call.console.codePage
  const stdin = input ? bufferSource(encode(input.map(it => `${textOf(it)}\r\n`).join(''), 437)) : emptySource
  const started = startProgram({ ...call, env: environmentOf(shell) }, found, name, tail, {
    io: { stdin, stdout: output, stderr: errors },
  })
  if (!started) throw notRecognized(name)
  const code = await call.process.whileAlive(started.exit)
  scope.root.set('LASTEXITCODE', code | 0)
  if (code !== 0) shell.failures++
  const text = decode(output.bytes(), page)
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  for (const line of lines) await frame.emit(line.replace(/\r$/, ''))
  const trouble = decode(errors.bytes(), page)
  if (trouble !== '') {
    const record = errorRecord({
      message: trouble.trimEnd(),
      id: 'NativeCommandError',
      type: 'System.Management.Automation.RemoteException',
      target: trouble.split('\r\n')[0] ?? '',
      activity: name,
    })
    if (frame.errors === shell.showError) await call.io.stderr.write(errors.bytes(), call.process.signal)
    else await frame.errors(record)
  }
}

async function runScriptFile(path: string, element: Command, frame: Frame): Promise<void> {
  const text = decodeMarked(frame.shell.call.system.files.file(path).data, 1252)
  const block = new ScriptBlock(parseScript(text))
  const { named, positional } = await argumentsFor(block, element.args, frame)
  try {
    await frame.shell.run(block, positional, frame, { named })
  } catch (error) {
    if (!(error instanceof ExitSignal)) throw error
    frame.scope.root.set('LASTEXITCODE', error.code)
  }
}
