import type { Bytes } from '../../files/bytes.js'
import { ShellError } from '../control.js'
import type { Builtin } from '../engine.js'
import type { Shell } from '../shell.js'

/** One line as `read` reads it: byte by byte, so that the rest stays for others. */
interface Line {
  /** Each character, and whether a backslash kept it from being a separator. */
  readonly chars: readonly { readonly char: string; readonly kept: boolean }[]
  /** True when the file ended before the line did. */
  readonly ended: boolean
}

async function readLine(shell: Shell, raw: boolean): Promise<Line> {
  const file = shell.process.files.get(0)
  const chars: { char: string; kept: boolean }[] = []
  let escaped = false
  for (;;) {
    const byte = await file?.read(1, shell.process.signal)
    const code = byte?.[0]
    if (code === undefined) return { chars, ended: true }
    const char = String.fromCharCode(code)
    if (escaped) {
      if (char !== '\n') chars.push({ char, kept: true })
      escaped = false
    } else if (char === '\\' && !raw) escaped = true
    else if (char === '\n') return { chars, ended: false }
    else if (char !== '\x00') chars.push({ char, kept: false })
  }
}

async function read(shell: Shell, args: readonly Bytes[]): Promise<number> {
  const raw = args.some(arg => /^-\w*r/.test(arg))
  const names = args.filter(arg => !arg.startsWith('-'))
  const line = await readLine(shell, raw)
  const targets = names.length > 0 ? names : ['REPLY']
  for (const [index, value] of divide(
    line,
    targets.length,
    shell.variables.get('IFS') ?? ' \t\n',
  ).entries()) {
    shell.variables.set(targets[index] ?? 'REPLY', value)
  }
  return line.ended ? 1 : 0
}

/** Divides a line among variables; the last gets the rest. */
function divide({ chars }: Line, count: number, ifs: Bytes): Bytes[] {
  const separates = ({ char, kept }: Line['chars'][number]): boolean => !kept && ifs.includes(char)
  const isSpace = (at: number): boolean => {
    const it = chars[at]
    return it !== undefined && separates(it) && /[ \t\n]/.test(it.char)
  }
  const isSeparator = (at: number): boolean => {
    const it = chars[at]
    return it !== undefined && separates(it)
  }
  const values: Bytes[] = []
  let at = 0
  let end = chars.length
  while (isSpace(at)) at++
  while (values.length < count - 1) {
    const start = at
    while (at < end && !isSeparator(at)) at++
    values.push(
      chars
        .slice(start, at)
        .map(({ char }) => char)
        .join(''),
    )
    while (isSpace(at)) at++
    if (isSeparator(at) && !isSpace(at)) {
      at++
      while (isSpace(at)) at++
    }
  }
  while (end > at && isSpace(end - 1)) end--
  // One separator at the very end belongs to the last field only when there are more before it.
  const rest = chars.slice(at, end)
  const inner = rest.slice(0, -1).some(separates)
  const last = rest.at(-1)
  if (last && separates(last) && !inner) rest.pop()
  values.push(rest.map(({ char }) => char).join(''))
  return values
}

/** `getopts`, as POSIX has it. */
async function getopts(shell: Shell, args: readonly Bytes[]): Promise<number> {
  const [letters, name, ...given] = args
  if (letters === undefined || name === undefined)
    throw new ShellError('getopts: usage: getopts optstring var [arg]', 2)
  const words = given.length > 0 ? given : shell.positional
  const index = Number(shell.variables.get('OPTIND') ?? '1')
  const word = words[index - 1]
  if (shell.optionOffset === 0) {
    if (word === undefined || !/^-./.test(word)) return endOptions(shell, name)
    if (word === '--') {
      shell.variables.set('OPTIND', String(index + 1))
      return endOptions(shell, name)
    }
    shell.optionOffset = 1
  }
  const letter = word?.charAt(shell.optionOffset) ?? ''
  const last = shell.optionOffset + 1 >= (word?.length ?? 0)
  const place = letter === ':' ? -1 : letters.replace(/^:/, ' ').indexOf(letter)
  const silent = letters.startsWith(':')
  const advance = (by: number): void => {
    shell.variables.set('OPTIND', String(index + by))
    shell.optionOffset = 0
  }
  if (shell.flavour === 'dash') shell.variables.set('OPTARG', '')
  else shell.variables.unset('OPTARG')
  if (place < 0) {
    if (last) advance(1)
    else shell.optionOffset++
    shell.variables.set(name, '?')
    if (silent) shell.variables.set('OPTARG', letter)
    else await shell.complain(`Illegal option -${letter}`)
    return 0
  }
  shell.variables.set(name, letter)
  if (letters.replace(/^:/, ' ').charAt(place + 1) !== ':') {
    if (last) advance(1)
    else shell.optionOffset++
    return 0
  }
  const value = last ? words[index] : word?.slice(shell.optionOffset + 1)
  advance(last ? 2 : 1)
  if (value !== undefined) {
    shell.variables.set('OPTARG', value)
    return 0
  }
  shell.variables.set(name, silent ? ':' : '?')
  if (silent) shell.variables.set('OPTARG', letter)
  else await shell.complain(`No arg for -${letter} option`)
  return 0
}

function endOptions(shell: Shell, name: Bytes): number {
  shell.variables.set(name, '?')
  return 1
}

/** Builtins that take input apart. */
export const readBuiltins: Readonly<Record<string, Builtin>> = {
  read: { run: read },
  getopts: { run: getopts },
}
