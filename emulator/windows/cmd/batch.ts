import { print, splitArguments } from '../system/context.js'
import { decodeMarked } from '../text/code-pages.js'
import { Exit, Goto, type Shell } from './session.js'

/** Runs a batch file in the shell that called it. */
export async function runBatch(shell: Shell, path: string, name: string, tail: string): Promise<number> {
  const text = decodeMarked(shell.system.files.file(path).data, shell.console.codePage)
  const inner: Shell = shell
  const before = { batch: shell.batch, echo: shell.echo, delayed: shell.delayed }
  inner.batch = [name, ...batchArguments(tail)]
  try {
    return await runText(inner, text.split(/\r?\n/))
  } catch (error) {
    if (error instanceof Exit && error.batchOnly) return error.code
    throw error
  } finally {
    Object.assign(inner, before)
  }
}

function batchArguments(tail: string): string[] {
  return splitArguments(tail).length === 0 ? [] : (tail.match(/"[^"]*"|[^ \t,;=]+/g) ?? [])
}

async function runText(shell: Shell, lines: readonly string[]): Promise<number> {
  let code = 0
  for (let at = 0; at < lines.length; at++) {
    let line = lines[at] ?? ''
    // A block goes on over lines until its parentheses are closed; a caret at the end joins the next.
    while ((open(line) > 0 || /(?:^|[^^])\^$/.test(line)) && at + 1 < lines.length) {
      at++
      line =
        line.endsWith('^') && open(line) === 0
          ? line.slice(0, -1) + (lines[at] ?? '')
          : `${line}\n${lines[at] ?? ''}`
    }
    if (/^\s*:/.test(line) || line.trim() === '') continue
    const quiet = /^\s*@/.test(line)
    if (shell.echo && !quiet) await print(shell, `\r\n${shell.cwd}>${line} \r\n`)
    try {
      code = await shell.runLine(shell, line.replace(/^\s*@/, ''))
    } catch (error) {
      if (!(error instanceof Goto)) throw error
      if (error.label.toLowerCase() === 'eof') return shell.errorLevel
      const target = lines.findIndex(
        it =>
          it
            .trim()
            .toLowerCase()
            .split(/[\s:+]/)
            .slice(0, 2)
            .join(':') === `:${error.label.toLowerCase()}`,
      )
      if (target < 0) {
        await print(shell, `The system cannot find the batch label specified - ${error.label}\r\n`)
        return 1
      }
      at = target
    }
  }
  return code
}

function open(line: string): number {
  let depth = 0
  let quoted = false
  for (let at = 0; at < line.length; at++) {
    const character = line[at]
    if (character === '"') quoted = !quoted
    else if (quoted) continue
    else if (character === '^') at++
    else if (
      character === '(' &&
      /(?:^|[\s@&|(])$|\b(?:do|in|else|exist\s+\S+|==\s*\S+)\s*$/i.test(line.slice(0, at))
    )
      depth++
    else if (character === ')' && depth > 0) depth--
  }
  return depth
}
