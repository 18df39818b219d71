import { fitsPattern, resolvePath, splitPath } from '../store/files.js'
import { collector } from '../system/io.js'
import { decode, decodeMarked } from '../text/code-pages.js'
import { type Node, parseLine } from './parse.js'
import { finished, type Loop, type Shell } from './session.js'

type ForNode = Extract<Node, { kind: 'for' }>

/** FOR in its forms: a set of words or files, `/l`, `/f`. */
export async function runFor(shell: Shell, node: ForNode, loop: Loop): Promise<number> {
  const set = finished(shell, node.set, loop)
  let code = 0
  for (const values of await iterations(shell, node, set)) {
    const inner = new Map(loop)
    const first = node.variable.charCodeAt(0)
    for (const [offset, value] of values.entries()) inner.set(String.fromCharCode(first + offset), value)
    code = await shell.run(shell, node.body, inner)
  }
  return code
}

async function iterations(shell: Shell, node: ForNode, set: string): Promise<readonly (readonly string[])[]> {
  if (node.mode === '/l') {
    const [start = 0, step = 1, end = 0] = set
      .split(/[ ,;=\t]+/)
      .filter(it => it !== '')
      .map(Number)
    const values: string[][] = []
    if (step === 0) return values
    for (let value = start; step > 0 ? value <= end : value >= end; value += step)
      values.push([String(value)])
    return values
  }
  if (node.mode === '/f') return lines(shell, node.options, set.trim())
  const words = set.match(/"[^"]*"|[^ \t,;=\r\n]+/g) ?? []
  return words.flatMap(word => (/[*?]/.test(word) ? files(shell, word.replaceAll('"', '')) : [[word]]))
}

function files({ system, cwd }: Shell, pattern: string): string[][] {
  const { folder, name } = splitPath(resolvePath(cwd, pattern))
  const node = system.files.find(folder)
  if (node?.type !== 'folder') return []
  const written = pattern.slice(0, Math.max(pattern.lastIndexOf('\\'), pattern.lastIndexOf('/')) + 1)
  return [...node.entries.values()]
    .filter(it => it.type === 'file' && fitsPattern(it.name, name))
    .map(it => [`${written}${it.name}`])
}

/** The lines that `/f` splits: of files, of a text or of a command's output. */
async function lines(shell: Shell, options: string, set: string): Promise<string[][]> {
  const back = /\busebackq\b/i.test(options)
  const commandQuote = back ? '`' : "'"
  let text: string
  if (set.startsWith(commandQuote)) {
    const output = collector()
    const inner: Shell = { ...shell, env: shell.env.copy(), io: { ...shell.io, stdout: output }, folders: [] }
    const parsed = parseLine(set.slice(1, -1))
    if (parsed) await inner.run(inner, parsed, new Map())
    text = decode(output.bytes(), shell.console.codePage)
  } else if (set.startsWith(back ? "'" : '"')) text = set.slice(1, -1)
  else {
    const names = set.match(/"[^"]*"|[^ \t,;=]+/g) ?? []
    text = names
      .map(name =>
        decodeMarked(
          shell.system.files.file(resolvePath(shell.cwd, name.replaceAll('"', ''))).data,
          shell.console.codePage,
        ),
      )
      .join('\n')
  }
  const skip = Number(/\bskip=(\d+)/i.exec(options)?.[1] ?? 0)
  const eol = /\beol=(.)/i.exec(options)?.[1] ?? ';'
  const delimiters = /\bdelims=([^"]*?)(?=\s+(?:tokens|skip|eol|usebackq)\b|$)/i.exec(options)?.[1] ?? ' \t'
  const tokens = /\btokens=([\d,*-]+)/i.exec(options)?.[1] ?? '1'
  return text
    .split('\n')
    .map(line => line.replace(/\r$/, ''))
    .slice(skip)
    .filter(line => line !== '' && !line.startsWith(eol))
    .map(line => split(line, delimiters, tokens))
    .filter(values => values.length > 0)
}

function split(line: string, delimiters: string, tokens: string): string[] {
  if (delimiters === '') return [line]
  const words: { text: string; end: number }[] = []
  for (let at = 0; at < line.length; ) {
    while (at < line.length && delimiters.includes(line[at] ?? '')) at++
    const start = at
    while (at < line.length && !delimiters.includes(line[at] ?? '')) at++
    if (at > start) words.push({ text: line.slice(start, at), end: at })
  }
  if (words.length === 0) return []
  const values: string[] = []
  let last = 0
  for (const part of tokens.split(',')) {
    const star = part.endsWith('*')
    const range = /^(\d+)(?:-(\d+))?/.exec(part)
    if (range) {
      for (let index = Number(range[1]); index <= Number(range[2] ?? range[1]); index++) {
        values.push(words[index - 1]?.text ?? '')
        last = index
      }
    }
    if (star) {
      const from = words[last - 1]?.end ?? 0
      values.push(last === 0 ? line : line.slice(from).replace(/^[\s]+/, ''))
    }
  }
  return values
}
