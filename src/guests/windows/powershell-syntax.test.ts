import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import fc from 'fast-check'
import t from 'tap'
import { Language, type Node, Parser } from 'web-tree-sitter'
import { frameWords } from '../../remote/shells/frame.js'
import { framedLine } from '../../remote/shells/windows/line.js'
import { serviceText } from '../../remote/shells/windows/powershell-text.js'
import { fileReader, frameScript } from './powershell.js'

/** Every PowerShell text that is sent is read by a grammar that is not ours: tree-sitter-powershell. */
// The optimizing compiler of V8 would spend ten seconds on this grammar, which is used for one.
setFlagsFromString('--liftoff-only')
await Parser.init()
const grammar = createRequire(import.meta.url).resolve('tree-sitter-powershell/package.json')
const parser = new Parser()
parser.setLanguage(await Language.load(join(dirname(grammar), 'tree-sitter-powershell.wasm')))

function mistakes(text: string): string[] {
  const tree = parser.parse(text)
  if (tree === null) {
    return ['nothing was parsed']
  }
  // Walking a tree costs many times what parsing does, and the grammar keeps count itself.
  if (!tree.rootNode.hasError) {
    return []
  }
  const found: string[] = []
  const visit = (node: Node): void => {
    if (node.isError || node.isMissing) {
      found.push(`${node.startPosition.row + 1}: ${text.slice(node.startIndex, node.startIndex + 60)}`)
    }
    for (const child of node.children) {
      if (child !== null) {
        visit(child)
      }
    }
  }
  visit(tree.rootNode)
  return found
}

t.test('the grammar finds mistakes', async t => {
  for (const broken of ['if (1 {', "'open", 'foreach($x in) {}', '$a = @(1,']) {
    t.not(mistakes(broken).length, 0, broken)
  }
})

t.test('no text of ours has one', async t => {
  t.strictSame(mistakes(serviceText), [], 'the service')
  t.strictSame(mistakes(frameScript('exit 3', 'gc1')), [], 'the frame of a script')
  t.strictSame(mistakes(fileReader("C:\\it's here\\gc.txt")), [], 'the reader of a file')
})

t.test('no line for a login shell PowerShell has one', async t => {
  const piece = fc.constantFrom("'", '"', '$x', '`', '%A%', '&', '(', '{', ' ', 'a', '‘', '#', '@')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), pieces => {
      const command = `echo ${pieces.join('')}`
      const framed = { command, env: { A: pieces.join('') }, mark: 'lab/guest', words: frameWords(['plain']) }
      t.strictSame(mistakes(framedLine('powershell', framed)), [])
    }),
    { numRuns: 200 },
  )
})
