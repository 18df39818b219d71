import type { Bytes } from '../files/bytes.js'
import type { Node } from '../files/nodes.js'
import { absolute, type FileTree } from '../files/tree.js'
import type { Process } from '../system/process.js'

/** What `test` looks at beside its arguments. */
export interface TestHost {
  readonly tree: FileTree
  readonly process: Process
}

const unary = /^-[bcdefghknprstuwxzLSOGN]$/
const binary = new Set([
  '=',
  '==',
  '!=',
  '<',
  '>',
  '-eq',
  '-ne',
  '-lt',
  '-le',
  '-gt',
  '-ge',
  '-nt',
  '-ot',
  '-ef',
])

class TestError extends Error {}

/** Evaluates `test EXPRESSION`. Gives its truth, or the complaint about it. */
export function evaluateTest(args: readonly Bytes[], host: TestHost): boolean | string {
  try {
    return evaluate(args, host)
  } catch (error) {
    if (error instanceof TestError) return error.message
    throw error
  }
}

/** POSIX decides by the number of arguments; with more than four, the usual precedence. */
function evaluate(args: readonly Bytes[], host: TestHost): boolean {
  const [a = '', b = '', c = ''] = args
  switch (args.length) {
    case 0:
      return false
    case 1:
      return a !== ''
    case 2:
      if (a === '!') return b === ''
      if (unary.test(a)) return applyUnary(a, b, host)
      throw new TestError(`test: ${a}: unexpected operator`)
    case 3:
      if (binary.has(b)) return applyBinary(b, a, c, host)
      if (b === '-a') return a !== '' && c !== ''
      if (b === '-o') return a !== '' || c !== ''
      if (a === '!') return !evaluate(args.slice(1), host)
      if (a === '(' && c === ')') return b !== ''
      throw new TestError(`test: ${b}: unexpected operator`)
    case 4:
      if (a === '!') return !evaluate(args.slice(1), host)
      if (a === '(' && args[3] === ')') return evaluate([b, c], host)
  }
  return new LongTest(args, host).whole()
}

class LongTest {
  readonly #args: readonly Bytes[]
  readonly #host: TestHost
  #at = 0

  constructor(args: readonly Bytes[], host: TestHost) {
    this.#args = args
    this.#host = host
  }

  whole(): boolean {
    const value = this.#or()
    if (this.#at < this.#args.length) throw new TestError('test: too many arguments')
    return value
  }

  #or(): boolean {
    let value = this.#and()
    while (this.#args[this.#at] === '-o') {
      this.#at++
      const right = this.#and()
      value ||= right
    }
    return value
  }

  #and(): boolean {
    let value = this.#not()
    while (this.#args[this.#at] === '-a') {
      this.#at++
      const right = this.#not()
      value &&= right
    }
    return value
  }

  #not(): boolean {
    if (this.#args[this.#at] !== '!') return this.#primary()
    this.#at++
    return !this.#not()
  }

  #primary(): boolean {
    const [first, second, third] = this.#args.slice(this.#at, this.#at + 3)
    if (first === undefined) throw new TestError('test: argument expected')
    if (second !== undefined && third !== undefined && binary.has(second)) {
      this.#at += 3
      return applyBinary(second, first, third, this.#host)
    }
    if (first === '(') {
      this.#at++
      const value = this.#or()
      if (this.#args[this.#at] !== ')') throw new TestError('test: closing paren expected')
      this.#at++
      return value
    }
    if (unary.test(first) && second !== undefined) {
      this.#at += 2
      return applyUnary(first, second, this.#host)
    }
    this.#at++
    return first !== ''
  }
}

/** One operator with one operand, as in `test -f FILE`. */
export function applyUnary(operator: string, operand: Bytes, host: TestHost): boolean {
  if (operator === '-z') return operand === ''
  if (operator === '-n') return operand !== ''
  if (operator === '-t') return host.process.files.get(toNumber(operand))?.handle.terminal === true
  const path = absolute(host.process.cwd, operand)
  if (operand === '') return false
  const descriptor = /^\/dev\/(?:fd\/(\d+)|stdin|stdout|stderr)$/.exec(path)
  if (descriptor) {
    const fd = descriptor[1] ?? ['/dev/stdin', '/dev/stdout', '/dev/stderr'].indexOf(path)
    const kind = host.process.files.get(Number(fd))?.handle.kind
    if (operator === '-p') return kind === 'pipe' || kind === 'channel'
    if (operator === '-e') return kind !== undefined
    if (operator === '-c' || operator === '-f') return kind === (operator === '-c' ? 'char' : 'file')
  }
  const node = host.tree.lookup(path, host.process, operator !== '-h' && operator !== '-L')
  return node !== undefined && fileTest(operator, node, host)
}

function fileTest(operator: string, node: Node, { tree, process }: TestHost): boolean {
  switch (operator) {
    case '-e':
      return true
    case '-f':
      return node.type === 'file' || node.type === 'live'
    case '-d':
      return node.type === 'directory'
    case '-c':
      return node.type === 'char'
    case '-b':
      return node.type === 'block'
    case '-h':
    case '-L':
      return node.type === 'link'
    case '-s':
      return node.type === 'file' ? node.data.length > 0 : node.type === 'directory'
    case '-r':
      return tree.allows(node, process, 'r')
    case '-w':
      return node.type === 'live'
        ? node.write !== undefined && tree.allows(node, process, 'w')
        : tree.allows(node, process, 'w')
    case '-x':
      return tree.allows(node, process, 'x')
    case '-u':
      return (node.mode & 0o4000) !== 0
    case '-g':
      return (node.mode & 0o2000) !== 0
    case '-k':
      return (node.mode & 0o1000) !== 0
    case '-O':
      return node.uid === process.uid
    case '-G':
      return node.gid === process.gid
    default:
      return false
  }
}

function toNumber(text: Bytes): number {
  const trimmed = text.trim()
  if (!/^[-+]?\d+$/.test(trimmed)) throw new TestError(`[: Illegal number: ${text}`)
  return Number(trimmed)
}

function toInteger(text: Bytes): bigint {
  toNumber(text)
  return BigInt(text.trim().replace(/^\+/, ''))
}

/** One operator between two operands, as in `test A -eq B`. */
export function applyBinary(operator: string, left: Bytes, right: Bytes, host: TestHost): boolean {
  switch (operator) {
    case '=':
    case '==':
      return left === right
    case '!=':
      return left !== right
    case '<':
      return left < right
    case '>':
      return left > right
    case '-eq':
      return toInteger(left) === toInteger(right)
    case '-ne':
      return toInteger(left) !== toInteger(right)
    case '-lt':
      return toInteger(left) < toInteger(right)
    case '-le':
      return toInteger(left) <= toInteger(right)
    case '-gt':
      return toInteger(left) > toInteger(right)
    case '-ge':
      return toInteger(left) >= toInteger(right)
  }
  const [first, second] = [left, right].map(path =>
    host.tree.lookup(absolute(host.process.cwd, path), host.process),
  )
  if (operator === '-ef') return first !== undefined && first === second
  const [newer, older] = operator === '-nt' ? [first, second] : [second, first]
  return newer !== undefined && (older === undefined || newer.modifiedMs > older.modifiedMs)
}
