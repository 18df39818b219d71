import type { FileNode } from '../store/files.js'
import { FileError, resolvePath } from '../store/files.js'
import {
  type Call,
  type Context,
  complain,
  findProgram,
  type Program,
  print,
  startProgram,
} from '../system/context.js'
import { emptySource, type Io, LineReader, makePipe, nullSink, type Sink, type Source } from '../system/io.js'
import { decode } from '../text/code-pages.js'
import { runBatch } from './batch.js'
import type { Builtin } from './builtin.js'
import { builtins } from './builtins.js'
import { evaluate } from './condition.js'
import { expandPercent } from './expand.js'
import { runFor } from './for.js'
import { type Node, parseLine, type Redirection, SyntaxProblem } from './parse.js'
import { Exit, fileText, finished, type Loop, type Shell, variable } from './session.js'
import { versionLine } from './version.js'

/** The longest line that cmd takes. See learn.microsoft.com, "Command prompt line string limitation". */
const longestLine = 8191

/** Runs one line as typed. Resolves to what it returned. */
async function runLine(shell: Shell, line: string): Promise<number> {
  if (line.length > longestLine) {
    await complain(shell, 'The command line is too long.\r\n')
    return (shell.errorLevel = 1)
  }
  const expanded = expandPercent(line, name => variable(shell, name), shell.batch)
  let node: Node | undefined
  try {
    node = parseLine(expanded)
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error
    await complain(shell, `${error.message}\r\n`)
    return (shell.errorLevel = shell.batch ? 255 : 1)
  }
  return node ? run(shell, node, new Map()) : 0
}

/** Runs a part of a line. */
async function run(shell: Shell, node: Node, loop: Loop): Promise<number> {
  await shell.system.breathe(shell.process)
  switch (node.kind) {
    case 'then':
      await run(shell, node.left, loop)
      return run(shell, node.right, loop)
    case 'and': {
      const left = await run(shell, node.left, loop)
      return left === 0 ? run(shell, node.right, loop) : left
    }
    case 'or': {
      const left = await run(shell, node.left, loop)
      return left === 0 ? left : run(shell, node.right, loop)
    }
    case 'pipe':
      return runPipe(shell, node.left, node.right, loop)
    case 'block':
      return redirected(shell, node.redirections, loop, async () =>
        node.body ? run(shell, node.body, loop) : 0,
      )
    case 'if':
      if (evaluate(shell, node.condition, text => finished(shell, text, loop)))
        return run(shell, node.body, loop)
      return node.otherwise ? run(shell, node.otherwise, loop) : 0
    case 'for':
      return runFor(shell, node, loop)
    case 'simple':
      return redirected(shell, node.redirections, loop, () => simple(shell, finished(shell, node.text, loop)))
  }
}

async function runPipe(shell: Shell, left: Node, right: Node, loop: Loop): Promise<number> {
  const pipe = makePipe()
  const side = (io: Io): Shell => ({ ...shell, env: shell.env.copy(), io, folders: [...shell.folders] })
  const from = side({ ...shell.io, stdout: pipe.sink })
  const to = side({ ...shell.io, stdin: pipe.source })
  const writer = caught(run(from, left, loop)).finally(() => pipe.sink.close?.())
  const code = await caught(run(to, right, loop))
  pipe.broken()
  await writer
  return (shell.errorLevel = code)
}

/** Each side of a pipe is a cmd of its own: `exit` ends that side alone. */
async function caught(work: Promise<number>): Promise<number> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Exit) return error.code
    throw error
  }
}

async function redirected(
  shell: Shell,
  redirections: readonly Redirection[],
  loop: Loop,
  work: () => Promise<number>,
): Promise<number> {
  if (redirections.length === 0) return work()
  const before = shell.io
  const handles: { stdin: Source; stdout: Sink; stderr: Sink } = { ...before }
  const opened: Sink[] = []
  try {
    for (const { handle, kind, target } of redirections) {
      if (kind === 'duplicate') {
        const sink = target === '1' ? handles.stdout : handles.stderr
        if (handle === 1) handles.stdout = sink
        else if (handle === 2) handles.stderr = sink
        continue
      }
      const name = finished(shell, target, loop).replaceAll('"', '')
      if (kind === 'in') handles.stdin = openSource(shell, name)
      else {
        const sink = openSink(shell, name, kind === 'append')
        opened.push(sink)
        if (handle === 2) handles.stderr = sink
        else if (handle === 1) handles.stdout = sink
      }
    }
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    await complain(shell, `${fileText(error)}\r\n`)
    return (shell.errorLevel = 1)
  }
  const target = shell as { io: Io }
  target.io = handles
  try {
    return await work()
  } finally {
    target.io = before
    for (const sink of opened) sink.close?.()
  }
}

function openSource({ system, cwd }: Shell, name: string): Source {
  if (/^nul:?$/i.test(name)) return emptySource
  const data = system.files.file(resolvePath(cwd, name)).data
  let rest: Buffer | undefined = data
  return {
    read: async () => {
      const now = rest
      rest = undefined
      return now && now.length > 0 ? now : undefined
    },
  }
}

function openSink({ system, cwd }: Shell, name: string, append: boolean): Sink {
  if (/^nul:?$/i.test(name)) return nullSink
  const path = resolvePath(cwd, name)
  if (!append || !system.files.find(path)) system.files.write(path, Buffer.alloc(0))
  return {
    kind: 'file',
    write: async data => {
      system.files.write(path, data, true)
    },
  }
}

async function simple(shell: Shell, text: string): Promise<number> {
  const trimmed = text.replace(/^[ \t,;=]+/, '')
  if (trimmed === '') return 0
  const word = /^([a-z]+)(?=$|[ \t.,;:=/\\+[\]("])/i.exec(trimmed)?.[1]?.toLowerCase() ?? ''
  const builtin: Builtin | undefined = builtins.get(word)
  if (builtin && !/^[a-z]+\.(?:exe|com|bat|cmd)\b/i.test(trimmed)) {
    const code = await builtin(shell, trimmed.slice(word.length))
    return code
  }
  return external(shell, trimmed)
}

/** Runs a program or batch file that a line names. */
async function external(shell: Shell, text: string): Promise<number> {
  const match = /^(?:"([^"]*)"?[^ \t,;=]*|([^ \t,;=]+))/.exec(text)
  const written = match?.[0] ?? text
  const name = written.replaceAll('"', '')
  const tail = text.slice(written.length)
  const found = findProgram(shell, name)
  if (!found) {
    await complain(
      shell,
      `'${written}' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n`,
    )
    return (shell.errorLevel = shell.batch ? 9009 : 1)
  }
  if (/\.(?:bat|cmd)$/i.test(found.path))
    return (shell.errorLevel = await runBatch(shell, found.path, name, tail))
  return (shell.errorLevel = await start(shell, found, written, tail))
}

async function start(
  shell: Shell,
  found: { path: string; node: FileNode },
  written: string,
  tail: string,
): Promise<number> {
  const started = startProgram(shell, found, written, tail, { io: shell.io })
  if (started) return shell.process.whileAlive(started.exit)
  await complain(shell, `The system cannot execute the specified program.\r\n`)
  return 1
}

/** Makes a cmd of its own for a process. */
function makeShell(context: Context): Shell {
  return {
    ...context,
    errorLevel: 0,
    echo: true,
    delayed: false,
    folders: [],
    batch: undefined,
    runLine,
    run,
    external,
  }
}

/** cmd.exe as a program: `/c`, `/k`, `/s`, `/d`, `/q`, `/v:on`, `/u`, `/a`; without a command it reads them. */
export const cmd: Program = async call => {
  const status = await endOf(call)
  return call.system.persona.state.cmdEndsWell ? 0 : status
}

async function endOf(call: Call): Promise<number> {
  const shell = makeShell(call)
  shell.env.set('PROMPT', shell.env.get('PROMPT') ?? '$P$G')
  const options =
    /^((?:\s*\/(?:[adqsuxy]|[ef]:(?:on|off)|v(?::(?:on|off))?|t:\w+))*)\s*(?:\/([ckr])(.*))?$/is.exec(
      call.tail,
    )
  const switches = (options?.[1] ?? '').toLowerCase()
  if (/\/v(?::on)?(?=\s|\/|$)/.test(switches)) shell.delayed = true
  if (switches.includes('/q')) shell.echo = false
  const command = options?.[3]
  try {
    if (command === undefined) return await interact(shell)
    return await runLine(shell, stripQuotes(shell, command.replace(/^[ \t]+/, ''), switches.includes('/s')))
  } catch (error) {
    if (error instanceof Exit) return error.code
    throw error
  }
}

/** `cmd /c` takes the outer quotes away, unless two of them do no more than hold a program's name. */
function stripQuotes(shell: Shell, text: string, always: boolean): string {
  if (!text.startsWith('"')) return text
  const quotes = text.split('"').length - 1
  if (!always && quotes === 2 && !/[&<>()@^|]/.test(text)) {
    const inner = /^"([^"]*)"/.exec(text)?.[1] ?? ''
    if (inner.includes(' ') && findProgram(shell, inner)) return text
  }
  const last = text.lastIndexOf('"')
  return last === 0 ? text.slice(1) : text.slice(1, last) + text.slice(last + 1)
}

async function interact(shell: Shell): Promise<number> {
  await print(shell, `${versionLine(shell.system)}\r\n`)
  const reader = new LineReader(shell.io.stdin)
  for (;;) {
    await print(shell, `\r\n${shell.cwd}>`)
    const line = await reader.next(shell.process.signal)
    if (line === undefined) return shell.errorLevel
    await runLine(shell, decode(line, shell.console.codePage))
  }
}
