import type { Bash } from 'just-bash'
import { type Bytes, fromBuffer, fromText, toBuffer, toText } from '../files/bytes.js'
import { Pipe } from '../files/pipe.js'
import { loadJustBash } from '../shell/ast.js'
import type { Process } from '../system/process.js'
import type { Call, Program } from '../system/programs.js'
import { runToEnd, statusCode } from '../system/run-to-end.js'
import type { System } from '../system/system.js'
import { filterFiles } from './filter-files.js'
import { readsInput } from './filter-input.js'
import { readAll, writeTo } from './io.js'

/** Programs that just-bash carries out, by its own names. */
const names = new Set([
  'awk',
  'base64',
  'basename',
  'chmod',
  'column',
  'comm',
  'cp',
  'cut',
  'diff',
  'dirname',
  'egrep',
  'expand',
  'expr',
  'fgrep',
  'file',
  'find',
  'fold',
  'grep',
  'gunzip',
  'gzip',
  'join',
  'ln',
  'mv',
  'nl',
  'paste',
  'printenv',
  'rev',
  'rm',
  'rmdir',
  'sed',
  'seq',
  'sort',
  'split',
  'strings',
  'tac',
  'touch',
  'unexpand',
  'uniq',
  'wc',
  'which',
  'zcat',
])

/** One just-bash that runs one filter at a time, with the eyes of its process. */
interface Engine {
  readonly bash: Bash
  process: Process | undefined
}

/** Engines of a guest that are free. */
const freeEngines = new WeakMap<System, Engine[]>()

async function makeEngine(system: System): Promise<Engine> {
  const { Bash, defineCommand, latin1FromBytes } = await loadJustBash()
  const current = (): Process => {
    if (!engine.process) throw new Error('a filter ran outside any process')
    return engine.process
  }
  // What `find -exec` starts comes back to the guest's own programs.
  const bridge = (name: string): ReturnType<typeof defineCommand> =>
    defineCommand(name, async (args, context) => {
      const argv = [name, ...args].map(fromText)
      const output = await runInside(system, current(), argv, latin1FromBytes(context.stdin))
      return { stdout: output.stdout, stdoutKind: 'bytes', stderr: output.stderr, exitCode: output.exit }
    })
  const bash = new Bash({
    fs: filterFiles(system.tree, current),
    cwd: '/',
    env: {},
    defenseInDepth: false,
    customCommands: bridged.map(bridge),
    executionLimits: {
      maxExecutionTimeMs: Number.POSITIVE_INFINITY,
      maxCommandCount: Number.POSITIVE_INFINITY,
      maxLoopIterations: Number.POSITIVE_INFINITY,
    },
  })
  const engine: Engine = { bash, process: undefined }
  return engine
}

/** The guest's own programs that filters may start. */
const bridged = [
  'sh',
  'bash',
  'cat',
  'sha256sum',
  'sha1sum',
  'md5sum',
  'cksum',
  'cmp',
  'chown',
  'dd',
  'kill',
  'id',
  'uname',
  'date',
]

/** Whether just-bash has the program. */
export function isFilter(name: string): boolean {
  return names.has(name)
}

/** A program that just-bash carries out on the guest's files. */
export function filter(name: string): Program {
  return async call => {
    const { system, process } = call
    const stdin = readsInput(name, call.args) ? fromBuffer(await readAll(process, 0)) : ''
    const args = call.args.map(toText)
    const env = Object.fromEntries([...call.env].map(([key, value]) => [key, toText(value)]))
    const free = freeEngines.get(system) ?? []
    freeEngines.set(system, free)
    const engine = free.pop() ?? (await makeEngine(system))
    engine.process = process
    const result = await engine.bash.exec(name, {
      args,
      stdin,
      stdinKind: 'bytes',
      env,
      replaceEnv: true,
      cwd: toText(process.cwd),
      rawScript: true,
      signal: process.signal,
    })
    engine.process = undefined
    free.push(engine)
    const binary = result.stdoutKind === 'bytes' || result.stdoutEncoding === 'binary'
    await writeTo(process, 1, binary ? result.stdout : fromText(result.stdout))
    await writeTo(process, 2, fromText(result.stderr).replace(/^bash: (?:line \d+: )?/gm, ''))
    return result.exitCode
  }
}

/** Runs a program of the guest for a filter, with its input and output held in memory. */
async function runInside(
  system: System,
  parent: Process,
  argv: readonly Bytes[],
  stdin: Bytes,
): Promise<{ stdout: Bytes; stderr: Bytes; exit: number }> {
  const child = system.processes.spawn({ parent, argv, files: parent.files.fork() })
  const [input, output, errors] = [new Pipe(), new Pipe(), new Pipe()]
  const feed = input.writer()
  const read = [output.reader(), errors.reader()] as const
  child.files.set(0, input.reader())
  child.files.set(1, output.writer())
  child.files.set(2, errors.writer())
  const [name = ''] = argv
  const program = system.programs(toText(name))
  const call: Call = { system, process: child, name, args: argv.slice(1), env: parent.environ }
  const ended = runToEnd(child, async () => (program ? program(call) : 127))
  const fed = feed
    .write(toBuffer(stdin), parent.signal)
    .catch(() => {})
    .finally(() => feed.release())
  const [stdout, stderr] = await Promise.all(read.map(file => drain(file, parent)))
  await fed
  return { stdout: stdout ?? '', stderr: stderr ?? '', exit: statusCode(await ended) }
}

async function drain(file: ReturnType<Pipe['reader']>, parent: Process): Promise<Bytes> {
  const chunks: Buffer[] = []
  for (;;) {
    const chunk = await file.read(65_536, parent.signal)
    if (chunk.length === 0) return fromBuffer(Buffer.concat(chunks))
    chunks.push(chunk)
  }
}
