import { complain, findProgram, type Program, print, startProgram } from '../system/context.js'

/**
 * The login shell of Cygwin's sshd: as much of bash as a line needs that hands work on to cmd. Assignments before a
 * command, `exec`, single and double quotes, `$NAME`, `echo`, and programs of Windows.
 */
export function bash(command: string | undefined): Program {
  return async call => {
    if (command === undefined) return 0
    let status = 0
    for (const part of command.split(/;(?=(?:[^'"]|'[^']*'|"[^"]*")*$)|\n/)) {
      const words = split(part, name =>
        name === '0' ? 'bash' : name === '?' ? String(status) : (call.env.get(name) ?? ''),
      )
      const env = call.env.copy()
      while (words[0] !== undefined && /^[A-Za-z_]\w*=/.test(words[0].raw)) {
        const { text } = words.shift() ?? { text: '' }
        const equals = text.indexOf('=')
        env.set(text.slice(0, equals), text.slice(equals + 1))
      }
      if (words[0]?.text === 'exec') words.shift()
      const [name, ...rest] = words.map(it => it.text)
      if (name === undefined) continue
      if (name === 'echo') {
        await print(call, `${rest.join(' ')}\n`)
        status = 0
        continue
      }
      if (name === 'exit') return Number(rest[0] ?? status) & 0xff
      const program = name.replace(/^\/cygdrive\/([a-z])\//i, '$1:\\').replaceAll('/', '\\')
      const found = findProgram({ ...call, env }, program)
      if (!found) {
        await complain(call, `bash: ${name}: command not found\n`)
        status = 127
        continue
      }
      // Cygwin makes one command line of the words, with quotes where a word holds blanks or quotes.
      const tail = rest.map(it => ` ${quote(it)}`).join('')
      const started = startProgram(call, found, found.path, tail, { io: call.io, env })
      status = started ? (await call.process.whileAlive(started.exit)) & 0xff : 126
    }
    return status
  }
}

function quote(word: string): string {
  return word !== '' && !/[\s"]/.test(word)
    ? word
    : `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`
}

/** Words with quotes taken away; `raw` shows whether a word began unquoted. */
function split(line: string, lookup: (name: string) => string): { text: string; raw: string }[] {
  const words: { text: string; raw: string }[] = []
  const pattern = /(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/g
  for (const [raw] of line.matchAll(pattern)) {
    let text = ''
    for (const [piece] of raw.matchAll(/'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^'"\\]+/g)) {
      if (piece.startsWith("'")) text += piece.slice(1, -1)
      else if (piece.startsWith('"')) text += expand(piece.slice(1, -1).replace(/\\(["\\$`])/g, '$1'), lookup)
      else if (piece.startsWith('\\')) text += piece.slice(1)
      else text += expand(piece, lookup)
    }
    words.push({ text, raw })
  }
  return words
}

function expand(text: string, lookup: (name: string) => string): string {
  return text.replace(
    /\$(?:\{(\w+)\}|(\w+|\?))/g,
    (_, braced: string | undefined, plain: string | undefined) => lookup(braced ?? plain ?? ''),
  )
}
