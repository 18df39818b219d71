/**
 * What real shells make of a line, written anew from their documents and from nothing of ours: the reading that our
 * quoting must survive.
 */

/** cmd on a command line: `%NAME%` first (an unknown name stays as it is), then carets and quotes, then operators. */
export function readCmd(line: string, env: Readonly<Record<string, string>> = {}): string[] {
  return splitOperators(expandPercent(line, env))
}

/** `%NAME%`, `%NAME:a=b%` and `%NAME:~…%` of variables that are set; anything else is left. */
export function expandPercent(line: string, env: Readonly<Record<string, string>>): string {
  let [out, at] = ['', 0]
  for (;;) {
    const open = line.indexOf('%', at)
    const close = open < 0 ? -1 : line.indexOf('%', open + 1)
    if (close < 0) {
      return out + line.slice(at)
    }
    const inner = line.slice(open + 1, close)
    const name = inner.split(':')[0] ?? ''
    const found = Object.keys(env).find(key => key.toLowerCase() === name.toLowerCase())
    if (name !== '' && found !== undefined) {
      out += `${line.slice(at, open)}${inner === name ? env[found] : '<expanded>'}`
      at = close + 1
    } else {
      out += line.slice(at, open + 1)
      at = open + 1
    }
  }
}

/** The commands of a line, with carets taken away and quotes kept, as cmd hands them on. */
function splitOperators(line: string): string[] {
  const commands = ['']
  let isQuoted = false
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? ''
    if (char === '"') {
      isQuoted = !isQuoted
    }
    if (!isQuoted && char === '^') {
      at += 1
      commands.push(`${commands.pop() ?? ''}${line[at] ?? ''}`)
    } else if (!isQuoted && /[&|<>]/.test(char)) {
      commands.push('')
    } else {
      commands.push(`${commands.pop() ?? ''}${char}`)
    }
  }
  return commands
}

/** The arguments of a program, as the C runtime splits its command line. */
export function readRuntime(line: string): string[] {
  const args: string[] = []
  let [at, current, isQuoted, isOpen] = [0, '', false, false]
  while (at < line.length) {
    const [slashes = ''] = /^\\*/.exec(line.slice(at)) ?? []
    const next = line[at + slashes.length]
    if (next === '"') {
      current += '\\'.repeat(Math.floor(slashes.length / 2))
      at += slashes.length + 1
      isOpen = true
      if (slashes.length % 2 === 1) {
        current += '"'
      } else {
        isQuoted = !isQuoted
      }
      continue
    }
    if (slashes.length > 0) {
      current += slashes
      isOpen = true
      at += slashes.length
      continue
    }
    if (!isQuoted && (next === ' ' || next === '\t')) {
      if (isOpen) {
        args.push(current)
      }
      current = ''
      isOpen = false
    } else {
      current += next ?? ''
      isOpen = true
    }
    at += 1
  }
  return isOpen ? [...args, current] : args
}

/** A text literal in single quotes and what follows it; typographic single quotes count as quotes. */
export function readPowerShellLiteral(text: string): { value: string; rest: string } {
  const isQuote = (char: string | undefined): boolean => char !== undefined && /['\u2018-\u201b]/.test(char)
  if (!isQuote(text[0])) {
    throw new Error('no literal')
  }
  let value = ''
  for (let at = 1; at < text.length; at += 1) {
    if (!isQuote(text[at])) {
      value += text[at] ?? ''
    } else if (isQuote(text[at + 1])) {
      value += text[at] ?? ''
      at += 1
    } else {
      return { value, rest: text.slice(at + 1) }
    }
  }
  throw new Error('the literal does not end')
}
