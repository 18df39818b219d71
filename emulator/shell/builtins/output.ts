import type { Bytes } from '../../files/bytes.js'
import { ShellError } from '../control.js'
import type { Builtin } from '../engine.js'
import { formatPrintf, unescapeEcho } from '../printf.js'
import type { Shell } from '../shell.js'
import { evaluateTest } from '../test.js'

/** `echo`: dash reads escapes always, bash with `-e`. */
async function echo(shell: Shell, args: readonly Bytes[]): Promise<number> {
  let words = args
  let newline = true
  let escapes = shell.flavour === 'dash'
  const options = shell.flavour === 'dash' ? /^-n$/ : /^-[neE]+$/
  while (words[0] !== undefined && options.test(words[0])) {
    for (const letter of words[0].slice(1)) {
      if (letter === 'n') newline = false
      else escapes = letter === 'e'
    }
    words = words.slice(1)
    if (shell.flavour === 'dash') break
  }
  const joined = words.join(' ')
  const { text, stopped } = escapes ? unescapeEcho(joined) : { text: joined, stopped: false }
  await shell.write(1, newline && !stopped ? `${text}\n` : text)
  return 0
}

async function printf(shell: Shell, args: readonly Bytes[]): Promise<number> {
  let words = args
  let variable: Bytes | undefined
  if (words[0] === '-v' && shell.flavour === 'bash') {
    variable = words[1]
    words = words.slice(2)
  }
  if (words[0] === '--') words = words.slice(1)
  const [format, ...values] = words
  if (format === undefined) throw new ShellError('printf: usage: printf format [arguments]', 2)
  const { text, errors } = formatPrintf(format, values)
  if (variable !== undefined) shell.variables.set(variable, text)
  else await shell.write(1, text)
  for (const error of errors) await shell.complain(`printf: ${error}`)
  return errors.length > 0 ? 1 : 0
}

async function test(shell: Shell, args: readonly Bytes[]): Promise<number> {
  const outcome = evaluateTest(args, { tree: shell.system.tree, process: shell.process })
  if (typeof outcome === 'boolean') return outcome ? 0 : 1
  await shell.complain(outcome)
  return 2
}

/** Builtins that print or judge. */
export const outputBuiltins: Readonly<Record<string, Builtin>> = {
  echo: { run: echo },
  printf: { run: printf },
  test: { run: test },
  '[': {
    run: async (shell, args) => {
      if (args.at(-1) === ']') return test(shell, args.slice(0, -1))
      await shell.complain('[: missing ]')
      return 2
    },
  },
  pwd: {
    run: async (shell, args) => {
      const logical = shell.variables.get('PWD') ?? shell.process.cwd
      const path = args.includes('-P')
        ? shell.system.tree.find(shell.process.cwd, shell.process).path
        : logical
      await shell.write(1, `${path}\n`)
      return 0
    },
  },
}
