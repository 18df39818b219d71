import { resolvePath } from '../store/files.js'
import { type Call, complain, type Program } from '../system/context.js'
import { LineReader } from '../system/io.js'
import { decode, decodeMarked } from '../text/code-pages.js'
import { ExitSignal, LoopSignal, PsError } from './errors.js'
import { Runspace, recordOf } from './shell.js'
import type { Value } from './values.js'

interface Options {
  readonly text: string | undefined
  readonly file: { readonly path: string; readonly args: readonly string[] } | undefined
  readonly fromInput: boolean
  readonly clixml: boolean
  readonly problem: string | undefined
}

/** Reads the command line. See about_PowerShell_exe. Options may be cut short; the first word that is none begins the command. */
function read(call: Call): Options {
  let rest = call.args
  let encoded: string | undefined
  let format: string | undefined
  const none = { text: undefined, file: undefined, fromInput: false, clixml: false, problem: undefined }
  for (;;) {
    const [first, second = '', ...more] = rest
    if (first === undefined) break
    const option = /^[-/\u2013](\w*)$/.exec(first)?.[1]?.toLowerCase()
    if (first === '-') return { ...none, fromInput: true }
    if (option === undefined) return { ...none, text: rest.join(' ') }
    const is = (name: string, least: number): boolean => option.length >= least && name.startsWith(option)
    if (
      is('nologo', 3) ||
      is('noprofile', 3) ||
      is('noninteractive', 3) ||
      is('noexit', 3) ||
      is('sta', 2) ||
      is('mta', 1)
    )
      rest = rest.slice(1)
    else if (
      is('executionpolicy', 2) ||
      option === 'ep' ||
      is('inputformat', 2) ||
      option === 'if' ||
      is('windowstyle', 1) ||
      is('version', 1) ||
      is('psconsolefile', 1) ||
      is('configurationname', 6)
    )
      rest = more
    else if (is('outputformat', 1) || option === 'of') {
      format = second.toLowerCase()
      rest = more
    } else if (is('encodedcommand', 1) || option === 'ec') {
      encoded = second
      rest = more
    } else if (is('file', 1)) return { ...none, file: { path: second, args: more } }
    else if (is('command', 1)) {
      if (second === '-' && more.length === 0) return { ...none, fromInput: true }
      return { ...none, text: [second, ...more].join(' ') }
    } else if (option === 'help' || option === '?') return { ...none, text: '' }
    else return { ...none, text: rest.join(' ') }
  }
  if (encoded === undefined) return { ...none, fromInput: true }
  const bytes = Buffer.from(encoded, 'base64')
  const clixml = format !== 'text'
  if (
    encoded.replace(/=+$/, '').length % 4 === 1 ||
    bytes.length % 2 !== 0 ||
    !/^[A-Za-z0-9+/]*={0,2}$/.test(encoded)
  )
    return {
      ...none,
      clixml,
      problem:
        'Cannot process the command because the value specified with -EncodedCommand is not properly encoded. The value must be Base64 encoded.',
    }
  return { ...none, text: decode(bytes, 1200), clixml }
}

/** powershell.exe: `-Command`, `-EncodedCommand`, `-File`, and commands from standard input. See GRAMMAR.md. */
export const powershell: Program = async call => {
  const { system, process } = call
  const facts = system.persona.powershell
  if (!facts) return 1
  system.used.add('powershell')
  system.counters.powershellStarts++
  await process.sleep(facts.startMs)
  const options = read(call)
  if (options.problem !== undefined) {
    await complain(call, `${options.problem}\r\n`)
    return 0xfffd0000
  }
  const reader = new LineReader(call.io.stdin)
  const runspace = new Runspace(call, { clixml: options.clixml }, reader)
  if (options.file) return runFile(call, runspace, options.file)
  const text = options.text ?? decode(await reader.rest(process.signal), call.console.codePage)
  return finish(runspace, () => runspace.runText(text, runspace.top()), 'command')
}

async function runFile(
  call: Call,
  runspace: Runspace,
  { path, args }: NonNullable<Options['file']>,
): Promise<number> {
  const full = resolvePath(call.cwd, path)
  const node = call.system.files.find(full)
  if (node?.type !== 'file') {
    const old = runspace.major < 3
    await complain(
      call,
      old
        ? `The argument '${path}' to the -File parameter does not exist. Provide the path to an existing '.ps1' file as an argument to the -File parameter.\r\n`
        : `The argument '${path}' to the -File parameter does not exist. Provide the path to an existing '.ps1' file as an argument to the -File parameter.\r\nWindows PowerShell \r\nCopyright (C) Microsoft Corporation. All rights reserved.\r\n\r\n`,
    )
    return 0xfffd0000
  }
  const values: Value[] = args.filter(it => !/^-\w+$/.test(it))
  const named = new Map<string, Value>()
  args.forEach((it, index) => {
    if (/^-\w+$/.test(it)) named.set(it.slice(1).toLowerCase(), args[index + 1] ?? true)
  })
  const text = decodeMarked(node.data, 1252)
  runspace.global.set('PSCommandPath', full)
  runspace.global.set('PSScriptRoot', full.replace(/\\[^\\]*$/, ''))
  return finish(
    runspace,
    () => runspace.run(runspace.blockOf(text), values, runspace.top(), { sameScope: true, named }),
    'file',
  )
}

/**
 * Runs to the end and tells the status: of `exit`, 1 for an error that ended it. A script whose errors ended nothing has
 * ended well; so has a `-Command` whose last command did not fail.
 */
async function finish(
  runspace: Runspace,
  work: () => Promise<void>,
  kind: 'command' | 'file',
): Promise<number> {
  try {
    await work()
    return kind === 'command' && runspace.global.get('?') === false ? 1 : 0
  } catch (error) {
    if (error instanceof ExitSignal) return error.code
    if (error instanceof LoopSignal) return 0
    if (!(error instanceof PsError)) throw error
    await runspace.showError(recordOf(error))
    return 1
  }
}
