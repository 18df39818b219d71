import { InternalError } from '../../../config/errors.js'
import { markVariable } from '../wrap.js'
import { commandText } from './catalog.js'
import { escapeForCmd } from './quote.js'

/** `cmd` reads no more of a line; a margin is left for what the SSH server puts before it. */
export const longestLine = 8_000

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/

/** A line for cmd: marked, with its environment, and a word of ours before its output. */
export function markedLine(
  command: string,
  env: Readonly<Record<string, string>>,
  mark: string,
  nonce: string,
): string {
  const settings = Object.entries(env).map(([name, value]) => {
    if (!variableName.test(name)) {
      throw new InternalError(`"${name}" cannot be the name of an environment variable`)
    }
    return `set ${name}=${escapeForCmd(value)}&`
  })
  return commandText('marked', { MARK: mark, NONCE: nonce, SETTINGS: settings.join(''), COMMAND: command })
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
