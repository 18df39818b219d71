import { randomBytes } from 'node:crypto'
import { InfraError } from '../../config/errors.js'
import type { RunOptions, WindowsMachine } from '../../remote/index.js'
import type { CommandResult } from '../../remote/machine.js'
import { commandText } from '../../remote/shells/windows/catalog.js'
import { longestLine } from '../../remote/shells/windows/line.js'
import {
  encodedCommand,
  leftStatus,
  readerText,
  scriptText,
  withData,
} from '../../remote/shells/windows/powershell-text.js'
import { peerText } from '../../remote/trouble.js'
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
  const { stdout, stderr, exit } = result
  if (exit.kind === 'code' && !stdout.truncated && !stdout.text.includes(`${nonce} begin`)) {
    const said = peerText(`${stdout.text} ${stderr.text}`.trim()) || 'nothing'
    throw notCarriedOut(
      machine,
      `the script was not carried out (status ${exit.code}); the guest printed: ${said}`,
    )
  }
  const judged = judgeScript(result, nonce)
  if (new RegExp(`^${nonce} native `, 'm').test(stdout.text)) {
    const what =
      "a program wrote to standard error under $ErrorActionPreference 'Stop', which ends the script in this version of PowerShell"
    throw notCarriedOut(machine, `${what}: run it as cmd /c "PROGRAM 2>&1"`)
  }
  return judged
}

/** Nothing is said about the guest by a script that we could not have run. */
function notCarriedOut(machine: WindowsMachine, what: string): InfraError {
  return new InfraError(`${machine.label}: ${what}`, {
    cause: 'unknown',
    where: machine.label,
    code: 'command',
  })
}

/** The script in its frame. */
export function frameScript(script: string, nonce: string): string {
  const encoded = Buffer.from(script.replace(/^\ufeff/, ''), 'utf8').toString('base64')
  return withData(scriptText, `${nonce} ${encoded}`)
}

async function lineForFile(machine: WindowsMachine, text: string, signal?: AbortSignal): Promise<string> {
  const file = `${await machine.temporaryFolder()}\\gc-${randomBytes(6).toString('hex')}.txt`
  await machine.writeFile(file, Buffer.from(text, 'latin1'), signal)
  return commandText('powershell-file', { READER: encodedCommand(fileReader(file)) })
}

/** The text that reads a script from a file and runs it. */
export function fileReader(file: string): string {
  return withData(readerText, Buffer.from(file, 'utf8').toString('base64'))
}

/**
 * Reads the line that the frame leaves behind the script's output, wherever it stands. Without it nothing succeeded:
 * the script may have replaced standard output, ended the process, or been killed.
 */
export function judgeScript(result: CommandResult, nonce: string): ScriptResult {
  const { exit, stdout } = result
  const text = withoutBegin(stdout.text, nonce)
  const match = [
    ...text.matchAll(new RegExp(`\\n?${nonce} (end|throw|left|native) (\\d+) (-?\\d*)`, 'g')),
  ].at(-1)
  const code = exit.kind === 'code' ? exit.code : null
  if (match === undefined || code === null) {
    return { result, how: 'unknown', errors: null, lastStatus: null, succeeded: false, stdout: text }
  }
  const [, word, count, status] = match
  const errors = Number(count)
  const lastStatus = status === '' || status === undefined ? null : Number(status) >>> 0
  const said = { result, errors, lastStatus, stdout: text.slice(0, match.index) }
  switch (word) {
    case 'end':
      // A status after the end was asked for with $host.SetShouldExit.
      return code === 0
        ? { ...said, how: 'ended', succeeded: errors === 0 && (lastStatus ?? 0) === 0 }
        : { ...said, how: 'exit', succeeded: false }
    case 'left':
      return code === leftStatus
        ? { ...said, how: 'unknown', succeeded: false }
        : { ...said, how: 'exit', succeeded: code === 0 }
    case 'throw':
      return { ...said, how: 'threw', succeeded: false }
    default:
      return { ...said, how: 'unknown', succeeded: false }
  }
}

/** What came before the frame began is not the script's. */
function withoutBegin(text: string, nonce: string): string {
  const begin = `${nonce} begin\n`
  const at = text.indexOf(begin)
  return at < 0 ? text : text.slice(at + begin.length)
}
