import type { Bytes } from '../files/bytes.js'
import type { ShellFlavour } from '../system/system.js'
import { evaluateArithmetic } from './arithmetic.js'
import { type ArithmeticNode, parseScript, type WordNode, type WordPart } from './ast.js'
import { ShellError } from './control.js'
import type { Context, ExpansionHost, Recursion } from './expansion.js'
import { result } from './expansion.js'
import { asPattern, type fieldBreak, fixed, joined, type Piece, type Pieces, splitFields } from './fields.js'
import { expandParameter } from './parameter.js'
import { unquotePattern } from './pattern.js'

/** Expands the words of a command into its arguments. */
export async function expandWords(host: ExpansionHost, words: readonly WordNode[]): Promise<Bytes[]> {
  const fields: Bytes[] = []
  for (const word of words) {
    for (const alternative of braces(word, host.flavour)) {
      const pieces = await expandParts(host, alternative.parts, 'plain')
      for (const field of splitFields(pieces, host.variables.get('IFS'))) {
        const matches = field.pattern === undefined || host.noGlob ? [] : host.glob(field.pattern)
        if (matches.length > 0) fields.push(...matches)
        else fields.push(field.text)
      }
    }
  }
  return fields
}

/** Expands a word into one string, without splitting: assignments, redirections, `case`. */
export async function expandToText(
  host: ExpansionHost,
  word: WordNode,
  context: Context = 'plain',
): Promise<Bytes> {
  return joined(await expandParts(host, word.parts, context))
}

/** Expands a word into a pattern in which quoted characters match themselves. */
export async function expandToPattern(
  host: ExpansionHost,
  word: WordNode,
  context: Context = 'plain',
): Promise<Bytes> {
  return asPattern(await expandParts(host, word.parts, context))
}

export async function expandParts(
  host: ExpansionHost,
  parts: readonly WordPart[],
  context: Context,
): Promise<Pieces> {
  const pieces: (Piece | typeof fieldBreak)[] = []
  for (const part of parts) pieces.push(...(await expandPart(host, part, context)))
  return pieces
}

async function expandPart(host: ExpansionHost, part: WordPart, context: Context): Promise<Pieces> {
  switch (part.type) {
    case 'Literal':
      return [context === 'operand' ? result(part.value, 'plain') : fixed(part.value, context === 'quoted')]
    case 'Glob':
      return [{ text: part.pattern, glob: context !== 'quoted', split: false, quoted: false }]
    case 'SingleQuoted':
    case 'Escaped':
      return [fixed(part.value)]
    case 'DoubleQuoted':
      return quoted(host, part.parts)
    case 'TildeExpansion':
      return [fixed(host.home(part.user ?? '') ?? `~${part.user ?? ''}`)]
    case 'ParameterExpansion':
      return expandParameter(host, part, context, recursion)
    case 'CommandSubstitution':
      return [result(await host.substitute(part.body), context)]
    case 'ArithmeticExpansion':
      return [result(await expandArithmetic(host, part.expression), context)]
    case 'BraceExpansion':
      return [fixed(braceText(part))]
    case 'ProcessSubstitution':
      throw new ShellError('Syntax error: process substitution is not supported', 2)
  }
}

async function quoted(host: ExpansionHost, parts: readonly WordPart[]): Promise<Pieces> {
  const pieces = await expandParts(host, parts, 'quoted')
  const onlyParameters =
    parts.length === 1 && parts[0]?.type === 'ParameterExpansion' && parts[0].parameter === '@'
  if (onlyParameters && pieces.length === 0) return []
  return [fixed(''), ...pieces]
}

/** Evaluates `$((…))`: first the expansions in it, then the expression. */
export async function expandArithmetic(host: ExpansionHost, node: ArithmeticNode): Promise<Bytes> {
  const text = await arithmeticText(host, node.originalText ?? '')
  return evaluateArithmetic(text, host.variables).toString()
}

async function arithmeticText(host: ExpansionHost, text: Bytes): Promise<Bytes> {
  const unquoted = text.replace(/"/g, '')
  if (!/[$`\\]/.test(unquoted)) return unquoted
  // A here-document is read as the inside of double quotes, which is what POSIX asks for here.
  const script = await parseScript(`: <<GUESTCERT_END\n${unquoted}\nGUESTCERT_END\n`)
  const command = script.statements[0]?.pipelines[0]?.commands[0]
  const target = command?.type === 'SimpleCommand' ? command.redirections[0]?.target : undefined
  if (target?.type !== 'HereDoc') throw new ShellError(`arithmetic expression: "${text}"`, 2)
  return expandToText(host, target.content, 'quoted')
}

type BracePart = Extract<WordPart, { type: 'BraceExpansion' }>

/** `{a,b}` gives several words in bash, and is plain text in dash. */
function braces(word: WordNode, flavour: ShellFlavour): WordNode[] {
  const at = word.parts.findIndex(part => part.type === 'BraceExpansion')
  const part = word.parts[at]
  if (part?.type !== 'BraceExpansion' || flavour === 'dash') return [word]
  const alternatives = part.items.flatMap(item => (item.type === 'Word' ? [item.word.parts] : range(item)))
  return alternatives.flatMap(inside =>
    braces({ ...word, parts: [...word.parts.slice(0, at), ...inside, ...word.parts.slice(at + 1)] }, flavour),
  )
}

function range(item: Extract<BracePart['items'][number], { type: 'Range' }>): WordPart[][] {
  const numeric = typeof item.start === 'number' && typeof item.end === 'number'
  const code = (value: string | number): number => (typeof value === 'number' ? value : value.charCodeAt(0))
  const [start, end] = [code(item.start), code(item.end)]
  const step = Math.max(1, Math.abs(item.step ?? 1)) * (end >= start ? 1 : -1)
  const parts: WordPart[][] = []
  for (let value = start; step > 0 ? value <= end : value >= end; value += step) {
    parts.push([{ type: 'Literal', value: numeric ? String(value) : String.fromCharCode(value) }])
  }
  return parts
}

function braceText(part: BracePart): Bytes {
  const items = part.items.map(item =>
    item.type === 'Word' ? item.word.parts.map(plainText).join('') : `${item.start}..${item.end}`,
  )
  return `{${items.join(',')}}`
}

function plainText(part: WordPart): Bytes {
  if (part.type === 'Literal') return part.value
  if (part.type === 'Glob') return unquotePattern(part.pattern)
  if (part.type === 'BraceExpansion') return braceText(part)
  return 'value' in part && typeof part.value === 'string' ? part.value : ''
}

const recursion: Recursion = {
  parts: expandParts,
  text: expandToText,
  pattern: expandToPattern,
  arithmetic: expandArithmetic,
}
