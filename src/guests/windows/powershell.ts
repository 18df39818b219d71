import { randomBytes } from 'node:crypto'
import type { RunOptions, WindowsMachine } from '../../remote/index.js'
import type { CommandResult } from '../../remote/machine.js'
import { commandText } from '../../remote/shells/windows/catalog.js'
import { longestLine } from '../../remote/shells/windows/line.js'
import { encodedCommand, scriptText } from '../../remote/shells/windows/powershell-text.js'
import { quoteForPowerShell } from '../../remote/shells/windows/quote.js'
import { unanswered } from './failure.js'

/** What became of a script. */
export interface ScriptResult {
  readonly result: CommandResult
  readonly how: 'ended' | 'exit' | 'threw' | 'unknown'
  readonly errors: number | null
  readonly lastStatus: number | null
  readonly succeeded: boolean
  /** Standard output without our line. */
  readonly stdout: string
}

/** Room for our mark and the environment before the command. */
const longestCommand = longestLine - 1_500

/** Runs a PowerShell script and tells how it ended. Throws InfraError where there is no PowerShell that can. */
export async function runPowerShell(
  machine: WindowsMachine,
  script: string,
  options: RunOptions,
): Promise<ScriptResult> {
  if (!machine.hasPowerShell) {
    throw unanswered(machine, 'a script needs PowerShell 2.0 or later, and the guest has none')
  }
  const nonce = `gc${randomBytes(8).toString('hex')}`
  const text = frameScript(script, nonce)
  const line = commandText('powershell-script', { SCRIPT: encodedCommand(text) })
  const result = await machine.run(
    line.length <= longestCommand ? line : await lineForFile(machine, text, options.signal),
    options,
  )
  return judgeScript(result, nonce)
}

/** The script in its frame. */
export function frameScript(script: string, nonce: string): string {
  return scriptText
    .replace('{SCRIPT}', Buffer.from(script, 'utf8').toString('base64'))
    .replaceAll('{NONCE}', nonce)
}

async function lineForFile(machine: WindowsMachine, text: string, signal?: AbortSignal): Promise<string> {
  const file = `${await machine.temporaryFolder()}\\gc-${randomBytes(6).toString('hex')}.txt`
  await machine.writeFile(file, Buffer.from(text, 'latin1'), signal)
  return commandText('powershell-file', { READER: encodedCommand(readerText(file)) })
}

/** Reads a script from a file and runs it: no execution policy stands in its way. */
export function readerText(file: string): string {
  return `Invoke-Expression ([IO.File]::ReadAllText(${quoteForPowerShell(file)}))`
}

/** Reads the line that the frame leaves behind the script's output. */
export function judgeScript(result: CommandResult, nonce: string): ScriptResult {
  const { exit, stdout } = result
  const pattern = new RegExp(`^${nonce} (end|throw) (\\d+) (-?\\d*)\\s*$`, 'm')
  const match = pattern.exec(stdout.text)
  const code = exit.kind === 'code' ? exit.code : null
  if (match === null) {
    const how = code === null || stdout.truncated ? 'unknown' : 'exit'
    const succeeded = how === 'exit' && code === 0
    return { result, how, errors: null, lastStatus: null, succeeded, stdout: stdout.text }
  }
  const errors = Number(match[2])
  const lastStatus = match[3] === '' || match[3] === undefined ? null : Number(match[3]) >>> 0
  const ended = match[1] === 'end'
  return {
    result,
    how: ended ? 'ended' : 'threw',
    errors,
    lastStatus,
    succeeded: ended && code === 0 && errors === 0 && (lastStatus === null || lastStatus === 0),
    stdout: stdout.text.slice(0, match.index),
  }
}
