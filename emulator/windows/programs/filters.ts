import { resolvePath } from '../store/files.js'
import { type Call, complain, type Program, print } from '../system/context.js'
import { readAll } from '../system/io.js'
import { decode, decodeMarked } from '../text/code-pages.js'

async function input(call: Call): Promise<string> {
  return decode(await readAll(call.io.stdin, call.process.signal), call.console.codePage)
}

/** Lines without their ends; a CR before the end stays where there are two. */
function linesOf(text: string): string[] {
  const lines = text.split('\n').map(line => line.replace(/\r$/, ''))
  if (lines.at(-1) === '') lines.pop()
  return lines
}

function readFile(call: Call, path: string): string | undefined {
  const node = call.system.files.find(resolvePath(call.cwd, path))
  return node?.type === 'file' ? decodeMarked(node.data, call.console.codePage) : undefined
}

/** find.exe: lines that hold a text. Status 1 when there is none. */
export const find: Program = async call => {
  const tail = call.tail
  const wanted = /"((?:[^"]|"")*)"/.exec(tail)?.[1]?.replaceAll('""', '"')
  if (wanted === undefined) {
    await complain(call, 'FIND: Parameter format not correct\r\n')
    return 2
  }
  const outside = tail.replace(/"(?:[^"]|"")*"/, ' ')
  const flag = (letter: string): boolean => new RegExp(`/${letter}\\b`, 'i').test(outside)
  const needle = flag('i') ? wanted.toLowerCase() : wanted
  const holds = (line: string): boolean =>
    (flag('i') ? line.toLowerCase() : line).includes(needle) !== flag('v')
  const files = (outside.match(/[^\s/][^\s]*/g) ?? [])
    .filter(it => !/^[ivcn]$/i.test(it))
    .map(it => it.replaceAll('"', ''))
  let found = 0
  for (const name of files.length > 0 ? files : [undefined]) {
    const text = name === undefined ? await input(call) : readFile(call, name)
    if (text === undefined) {
      await complain(call, `File not found - ${name?.toUpperCase() ?? ''}\r\n`)
      continue
    }
    const lines = linesOf(text)
    const kept = lines.map((line, index) => ({ line, number: index + 1 })).filter(it => holds(it.line))
    found += kept.length
    if (name !== undefined)
      await print(call, `\r\n---------- ${name.toUpperCase()}${flag('c') ? `: ${kept.length}` : ''}\r\n`)
    if (flag('c') && name === undefined) await print(call, `${kept.length}\r\n`)
    else if (!flag('c'))
      await print(call, kept.map(it => `${flag('n') ? `[${it.number}]` : ''}${it.line}\r\n`).join(''))
  }
  return found > 0 ? 0 : 1
}

/** findstr.exe: lines that fit patterns. See learn.microsoft.com/windows-server/administration/windows-commands/findstr. */
export const findstr: Program = async call => {
  const switches = call.args.filter(it => /^\/[a-z]/i.test(it))
  const rest = call.args.filter(it => !/^\/[a-z]/i.test(it))
  const flag = (letter: string): boolean =>
    switches.some(
      it =>
        it.toLowerCase() === `/${letter}` ||
        (/^\/[a-z]{2,}$/i.test(it) && !it.includes(':') && it.toLowerCase().includes(letter)),
    )
  const literal = switches.find(it => /^\/c:/i.test(it))?.slice(3)
  const patterns = literal !== undefined ? [literal] : (rest.shift() ?? '').split(' ').filter(it => it !== '')
  if (patterns.length === 0) {
    await complain(call, 'FINDSTR: Bad command line\r\n')
    return 2
  }
  const regular = flag('r') || (literal === undefined && !flag('l'))
  const tests = patterns.map(
    it => new RegExp(expression(it, regular, flag('b'), flag('e'), flag('x')), flag('i') ? 'i' : ''),
  )
  let found = 0
  for (const name of rest.length > 0 ? rest : [undefined]) {
    const text = name === undefined ? await input(call) : readFile(call, name)
    if (text === undefined) {
      await complain(call, `FINDSTR: Cannot open ${name ?? ''}\r\n`)
      continue
    }
    const kept = linesOf(text)
      .map((line, index) => ({ line, number: index + 1 }))
      .filter(it => tests.some(test => test.test(it.line)) !== flag('v'))
    found += kept.length
    const prefix = rest.length > 1 ? `${name ?? ''}:` : ''
    await print(call, kept.map(it => `${prefix}${flag('n') ? `${it.number}:` : ''}${it.line}\r\n`).join(''))
  }
  return found > 0 ? 0 : 1
}

function expression(
  pattern: string,
  regular: boolean,
  begins: boolean,
  ends: boolean,
  whole: boolean,
): string {
  let source = ''
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? ''
    const next = pattern[at + 1] ?? ''
    if (character === '\\' && regular) {
      at++
      source += next === '<' || next === '>' ? '\\b' : `\\${next}`
    } else if (regular && character === '[') {
      const close = pattern.indexOf(']', at + 1)
      source += close < 0 ? '\\[' : pattern.slice(at, close + 1)
      if (close >= 0) at = close
    } else if (regular && '.*^$'.includes(character)) source += character
    else source += character.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  }
  return `${begins || whole ? '^' : ''}(?:${source})${ends || whole ? '$' : ''}`
}

/** more.com: to a pipe it passes on what it reads, and ends it with a line end. */
export const more: Program = async call => {
  const name = call.args.find(it => !it.startsWith('/'))
  const text = name === undefined ? await input(call) : readFile(call, name)
  if (text === undefined) {
    await complain(call, `Cannot access file ${resolvePath(call.cwd, name ?? '')}\r\n`)
    return 1
  }
  await print(
    call,
    `${linesOf(text)
      .map(line => `${line}\r\n`)
      .join('')}\r\n`,
  )
  return 0
}

/** sort.exe: by text, in any case. */
export const sort: Program = async call => {
  const name = call.args.find(it => !it.startsWith('/'))
  const lines = linesOf(name === undefined ? await input(call) : (readFile(call, name) ?? ''))
  const sorted = [...lines].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
  if (call.args.some(it => /^\/r/i.test(it))) sorted.reverse()
  await print(call, sorted.map(line => `${line}\r\n`).join(''))
  return 0
}

/** fc.exe: compares two files byte for byte with `/b`, else by lines. Status 0 alike, 1 different, 2 not to be had. */
export const fc: Program = async call => {
  const [first = '', second = ''] = call.args.filter(it => !it.startsWith('/'))
  const [a, b] = [first, second].map(it => call.system.files.find(resolvePath(call.cwd, it)))
  await print(call, `Comparing files ${first} and ${second.toUpperCase()}\r\n`)
  if (a?.type !== 'file' || b?.type !== 'file') {
    await complain(
      call,
      `FC: cannot open ${a?.type === 'file' ? second : first} - No such file or folder\r\n`,
    )
    return 2
  }
  if (a.data.equals(b.data)) {
    await print(call, 'FC: no differences encountered\r\n\r\n')
    return 0
  }
  const hex = (byte: number | undefined): string => (byte ?? 0).toString(16).toUpperCase().padStart(2, '0')
  const shorter = Math.min(a.data.length, b.data.length)
  let shown = ''
  for (let at = 0; at < shorter; at++) {
    if (a.data[at] === b.data[at]) continue
    shown += `${at.toString(16).toUpperCase().padStart(8, '0')}: ${hex(a.data[at])} ${hex(b.data[at])}\r\n`
  }
  const longer = a.data.length > b.data.length ? first : second
  if (a.data.length !== b.data.length)
    shown += `FC: ${longer.toUpperCase()} longer than ${(longer === first ? second : first).toUpperCase()}\r\n`
  await print(call, `${shown}\r\n`)
  return 1
}
