import type { Bytes } from '../files/bytes.js'
import type { ParameterOperation, ParameterPart, WordNode } from './ast.js'
import { ShellError } from './control.js'
import { type Context, type ExpansionHost, type Recursion, result } from './expansion.js'
import { fieldBreak, type Piece, type Pieces } from './fields.js'
import { patternSource } from './pattern.js'

/** Operations that only bash knows; dash says `Bad substitution`. */
const bashOnly = new Set<ParameterOperation['type']>([
  'Substring',
  'PatternReplacement',
  'CaseModification',
  'Indirection',
  'Transform',
  'ArrayKeys',
  'VarNamePrefix',
])

/** Expands `$x` and `${x…}` (POSIX 2.6.2, and what bash adds where the persona's shell is bash). */
export async function expandParameter(
  host: ExpansionHost,
  part: ParameterPart,
  context: Context,
  recursion: Recursion,
): Promise<Pieces> {
  const { parameter, operation } = part
  if (operation && host.flavour === 'dash' && bashOnly.has(operation.type)) throw badSubstitution(parameter)
  if (operation) return operate(host, parameter, operation, context, recursion)
  if (parameter === '@' || parameter === '*') return positional(host, parameter, context)
  const value = parameterValue(host, parameter)
  if (value === undefined) {
    if (host.noUnset) throw unset(host, parameter)
    return context === 'quoted' ? [] : [result('', context)]
  }
  return [result(value, context)]
}

/** The value of a parameter, or undefined when it is not set. */
function parameterValue(host: ExpansionHost, name: Bytes): Bytes | undefined {
  if (name === '@' || name === '*') return host.positional.length > 0 ? host.positional.join(' ') : undefined
  if (/^\d+$/.test(name)) return name === '0' ? host.special('0') : host.positional[Number(name) - 1]
  return host.special(name) ?? host.variables.get(name)
}

function positional(host: ExpansionHost, parameter: '@' | '*', context: Context): Pieces {
  if (parameter === '*' && context === 'quoted') {
    const ifs = host.variables.get('IFS')
    return [result(host.positional.join(ifs === undefined ? ' ' : ifs.charAt(0)), context)]
  }
  const pieces: (Piece | typeof fieldBreak)[] = []
  for (const [index, value] of host.positional.entries()) {
    if (index > 0) pieces.push(fieldBreak)
    pieces.push(result(value, context))
  }
  return pieces
}

function unset(host: ExpansionHost, name: Bytes): ShellError {
  return host.flavour === 'dash'
    ? new ShellError(`${name}: parameter not set`, 2)
    : new ShellError(`${name}: unbound variable`, 127)
}

function badSubstitution(_name: Bytes): ShellError {
  return new ShellError('Bad substitution', 2)
}

async function operate(
  host: ExpansionHost,
  name: Bytes,
  operation: ParameterOperation,
  context: Context,
  recursion: Recursion,
): Promise<Pieces> {
  const value = parameterValue(host, name)
  const missing = (checkEmpty: boolean): boolean => value === undefined || (checkEmpty && value === '')
  const operand = (word: WordNode): Promise<Pieces> =>
    recursion.parts(host, word.parts, context === 'quoted' ? 'quoted' : 'operand')
  const itself = (): Pieces =>
    name === '@' || name === '*' ? positional(host, name, context) : [result(value ?? '', context)]
  switch (operation.type) {
    case 'DefaultValue':
      return missing(operation.checkEmpty) ? operand(operation.word) : itself()
    case 'UseAlternative':
      return missing(operation.checkEmpty) ? [] : operand(operation.word)
    case 'AssignDefault': {
      if (!missing(operation.checkEmpty)) return itself()
      if (!/^[A-Za-z_]/.test(name)) throw badSubstitution(name)
      const assigned = await recursion.text(host, operation.word, context === 'quoted' ? 'quoted' : 'plain')
      host.variables.set(name, assigned)
      return [result(assigned, context)]
    }
    case 'ErrorIfUnset': {
      if (!missing(operation.checkEmpty)) return itself()
      const message = operation.word ? await recursion.text(host, operation.word) : ''
      throw new ShellError(`${name}: ${message || 'parameter not set'}`, host.flavour === 'dash' ? 2 : 127)
    }
  }
  if (value === undefined && host.noUnset) throw unset(host, name)
  return [result(await transform(host, name, value ?? '', operation, recursion), context)]
}

async function transform(
  host: ExpansionHost,
  name: Bytes,
  value: Bytes,
  operation: ParameterOperation,
  recursion: Recursion,
): Promise<Bytes> {
  switch (operation.type) {
    case 'Length':
      return String(name === '@' || name === '*' ? host.positional.length : value.length)
    case 'PatternRemoval': {
      const pattern = await recursion.pattern(host, operation.pattern)
      return operation.side === 'prefix'
        ? removePrefix(value, pattern, operation.greedy)
        : removeSuffix(value, pattern, operation.greedy)
    }
    case 'Substring': {
      const offset = Number(await recursion.arithmetic(host, operation.offset))
      const start = offset < 0 ? Math.max(0, value.length + offset) : offset
      if (!operation.length) return value.slice(start)
      const length = Number(await recursion.arithmetic(host, operation.length))
      return length < 0 ? value.slice(start, value.length + length) : value.slice(start, start + length)
    }
    case 'PatternReplacement': {
      const source = patternSource(await recursion.pattern(host, operation.pattern))
      const replacement = operation.replacement ? await recursion.text(host, operation.replacement) : ''
      const anchored =
        operation.anchor === 'start'
          ? `^(?:${source})`
          : operation.anchor === 'end'
            ? `(?:${source})$`
            : source
      return value.replace(new RegExp(anchored, operation.all ? 'g' : ''), () => replacement)
    }
    case 'CaseModification': {
      const change = (text: Bytes): Bytes =>
        operation.direction === 'upper'
          ? text.replace(/[a-z]/g, char => char.toUpperCase())
          : text.replace(/[A-Z]/g, char => char.toLowerCase())
      return operation.all ? change(value) : change(value.charAt(0)) + value.slice(1)
    }
    case 'Indirection':
      return /^\w+$/.test(value) ? (parameterValue(host, value) ?? '') : ''
    default:
      throw badSubstitution(name)
  }
}

function removePrefix(value: Bytes, pattern: Bytes, greedy: boolean): Bytes {
  const found = new RegExp(`^(?:${patternSource(pattern, !greedy)})`).exec(value)
  return found ? value.slice(found[0].length) : value
}

function removeSuffix(value: Bytes, pattern: Bytes, greedy: boolean): Bytes {
  const found = new RegExp(`^([^]*${greedy ? '?' : ''})(?:${patternSource(pattern)})$`).exec(value)
  return found?.[1] ?? value
}
