import { Document, isCollection, isMap, isPair, isScalar, Scalar, visit } from 'yaml'
import type { PersonaContent } from './personas.js'

/** Sections whose entries stand one a line. */
const entriesOnALine: ReadonlySet<string> = new Set(['lines', 'list', 'files'])
/** Lists of words, many on a line. */
const words: ReadonlySet<string> = new Set(
  (
    'acceptEnv methods kex serverHostKey cipher hmac compress fields clocksources dmi clearedAtBoot paths flags ' +
    'hypervisor disk nic'
  ).split(' '),
)
/** Sections of a few values, which fit on a line. */
const small: ReadonlySet<string> = new Set(['shell', 'init', 'timing', 'entropy', 'storage'])
const width = 120

/** A persona as YAML, with lines of comment at its head and, by section and key, before one of its keys. */
export function personaYaml(
  content: PersonaContent,
  head: readonly string[],
  notes: Readonly<Record<string, string>> = {},
): string {
  const document = new Document(content, { aliasDuplicateObjects: false })
  document.commentBefore = head.map(line => ` ${line}`).join('\n')
  visit(document, {
    Pair: (_key, { key, value }) => {
      const name = isScalar(key) ? String(key.value) : ''
      if (isCollection(value)) {
        value.flow ||= (words.has(name) && !isMap(value)) || small.has(name)
        for (const item of entriesOnALine.has(name) ? value.items : []) {
          const entry = isPair(item) ? item.value : item
          if (isCollection(entry)) {
            entry.flow = !hasLongText(entry)
          }
        }
      }
    },
    Scalar: (_key, node) => {
      // A text of one line keeps its line: "12\n".
      if (typeof node.value === 'string' && /^[^\n]*\n$/.test(node.value)) {
        node.type = Scalar.QUOTE_DOUBLE
      }
    },
  })
  for (const [path, note] of Object.entries(notes)) {
    const [section = '', name = ''] = path.split(' ')
    const map = document.get(section)
    const pair = isMap(map) ? map.items.find(({ key }) => isScalar(key) && key.value === name) : undefined
    if (pair !== undefined && isScalar(pair.key)) {
      pair.key.commentBefore = folded(note, 2)
        .map(line => ` ${line}`)
        .join('\n')
    }
  }
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: false, singleQuote: true })
  return text.replace(/^( *)([\w-]+): \[(.*)\]$/gm, (line, indent: string, key: string, items: string) =>
    line.length <= width ? line : wrapped(indent, key, items),
  )
}

/** A text of several lines is read better as a block. */
function hasLongText(entry: unknown): boolean {
  return (
    isMap(entry) && entry.items.some(({ value }) => isScalar(value) && /\n.*\n/.test(String(value.value)))
  )
}

function wrapped(indent: string, key: string, items: string): string {
  const inner = `${indent}  `
  return `${indent}${key}:\n${inner}[\n${folded(items, inner.length + 2)
    .map(line => `${inner}  ${line}\n`)
    .join('')}${inner}]`
}

/** Breaks a text at its blanks, none of which stands inside a word of a list that needs quotes. */
function folded(text: string, indent: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/(?<=,) /)) {
    if (line !== '' && indent + line.length + word.length + 1 > width) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
