import type { Bytes } from '../files/bytes.js'
import type { Program } from '../system/programs.js'
import { statusCode } from '../system/run-to-end.js'
import { readAll } from './io.js'
import { readOptions } from './options.js'
import { spawn } from './start.js'
import { size } from './streams.js'

const xargs: Program = async call => {
  const options = readOptions(call.args, '+0n:I:rt', { null: '0', 'no-run-if-empty': 'r', 'max-args': 'n' })
  const text = (await readAll(call.process, 0)).toString('latin1')
  const replace = options.value('I')
  const words = options.has('0')
    ? text.split('\0').filter((word, index, all) => word !== '' || index < all.length - 1)
    : replace === undefined
      ? splitWords(text)
      : text.split('\n').filter(line => line !== '')
  const command = options.operands.length > 0 ? options.operands : ['echo']
  const groups: Bytes[][] = []
  if (replace !== undefined)
    groups.push(...words.map(word => command.map(part => part.replaceAll(replace, word))))
  else {
    const most = options.has('n') ? Math.max(1, size(options.value('n') ?? '1')) : 5000
    for (let at = 0; at < words.length; at += most) groups.push([...command, ...words.slice(at, at + most)])
    if (words.length === 0 && !options.has('r')) groups.push([...command])
  }
  let worst = 0
  for (const argv of groups) {
    const status = statusCode(await call.process.whileAlive(spawn(call, argv).ended))
    if (status === 126 || status === 127) return status
    if (status !== 0) worst = 123
  }
  return worst
}

/** Words as `xargs` reads them: white space divides, quotes and backslashes keep together. */
function splitWords(text: Bytes): Bytes[] {
  const words: Bytes[] = []
  for (const [word] of text.matchAll(/(?:'[^']*'|"[^"]*"|\\[\s\S]|[^\s'"\\])+/g)) {
    words.push(
      word.replace(
        /'([^']*)'|"([^"]*)"|\\([\s\S])/g,
        (_all, a?: string, b?: string, c?: string) => a ?? b ?? c ?? '',
      ),
    )
  }
  return words
}

/** Runs a command with arguments from its input. */
export const xargsPrograms: Readonly<Record<string, Program>> = { xargs }
