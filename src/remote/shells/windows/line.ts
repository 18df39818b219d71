import { InternalError } from '../../../config/errors.js'
import { endWord, type FrameWords } from '../frame.js'
import { quote } from '../quote.js'
import { markVariable } from '../wrap.js'
import { commandText } from './catalog.js'
import type { LoginShell } from './login.js'
import { escapeForCmd, quoteForPowerShell } from './quote.js'

/** `cmd` reads no more of a line; a margin is left for what the SSH server puts before it. */
export const longestLine = 8_000
/** What {@link framedLine} puts around a command and its variables, with the longest mark. */
const longestFrame = 400

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/

/** What the line of one command is made of. */
export interface FramedLine {
  readonly command: string
  readonly env: Readonly<Record<string, string>>
  readonly mark: string
  readonly words: FrameWords
}

/**
 * A line for a login shell: marked, with its environment, and with a line of ours before and behind its output. The
 * command travels in a variable and is read by a cmd of its own, so that the frame outlives an `exit` in it, and no
 * `if` or `rem` of it swallows the frame.
 */
export function framedLine(login: LoginShell, { command, env, mark, words }: FramedLine): string {
  const marks = { MARK: mark, NONCE: words.nonce }
  const END = endWord(words)
  if (login === 'cygwin') {
    const line = commandText('marked', { ...marks, SETTINGS: settingsOf(env), COMMAND: command })
    return commandText('in-cygwin', { LINE: quote(line), END })
  }
  const SETTINGS = `${settingsOf(env)}set GC_L=${escapeForCmd(command)}&`
  const line = commandText('in-cmd', { ...marks, END, SETTINGS })
  return login === 'cmd'
    ? line
    : commandText('in-powershell', { 'LINE-QUOTED': quoteForPowerShell(withoutQuotes(line)).slice(1, -1) })
}

/** Whether cmd can be given a command and its variables in one line, as the login shell hands them to it. */
export function fitsLine(login: LoginShell, command: string, env: Readonly<Record<string, string>>): boolean {
  if (/[\r\n]/.test(command)) {
    return false
  }
  const text = settingsOf(env) + escapeForCmd(command)
  const given = login === 'powershell' ? withoutQuotes(text) : text
  return longestFrame + given.length <= longestLine
}

/** PowerShell does not hand quotes on to programs. */
function withoutQuotes(line: string): string {
  return line.replaceAll('"', '%GC_Q%')
}

function settingsOf(env: Readonly<Record<string, string>>): string {
  const settings = Object.entries(env).map(([name, value]) => {
    if (!variableName.test(name)) {
      throw new InternalError(`"${name}" cannot be the name of an environment variable`)
    }
    return `set ${name}=${escapeForCmd(value)}&`
  })
  return settings.join('')
}

/**
 * The WQL condition for processes that carry a mark in their command line: this one (ended by the `&` behind it), or
 * with `under` all that begin with it. The set `[K]` keeps the process that asks from finding itself.
 */
export function markCondition(mark: string, under: boolean): string {
  const pattern = mark.replace(/[[%_]/g, '[$&]').replaceAll('\\', '\\\\').replaceAll("'", "\\'")
  const name = markVariable.replace(/K$/, '[K]')
  return `CommandLine LIKE '%${name}=${pattern}${under ? '/' : '&'}%'`
}
