import { runPipeline } from './commands.js'
import { cast, fullTypeName, toNumber } from './convert.js'
import { ExitSignal, errorRecord, fail, LoopSignal, PsError, ReturnSignal } from './errors.js'
import { arithmetic, binary, equal, regex, wildcard } from './operators.js'
import type { Expression, Statement } from './parse/ast.js'
import { environmentOf, indexOf, setIndex, setMember } from './places.js'
import { remember } from './remember.js'
import type { Frame } from './runtime.js'
import { textOf } from './text.js'
import {
  collapse,
  isArray,
  isTrue,
  itemsOf,
  NetObject,
  nothing,
  PsHash,
  ScriptBlock,
  TypeRef,
  type Value,
} from './values.js'

/** Runs statements; what they give is emitted. */
export async function runStatements(statements: readonly Statement[], frame: Frame): Promise<void> {
  const { shell } = frame
  for (const statement of statements) {
    const before = shell.failures
    try {
      await runStatement(statement, frame)
      frame.scope.root.set('?', shell.failures === before)
    } catch (error) {
      const wish = textOf(frame.scope.get('ErrorActionPreference'))
      if (!(error instanceof PsError) || error.ends === 'script' || frame.guarded || /^stop$/i.test(wish))
        throw error
      // A failed method or command ends its statement; the script goes on with the next.
      shell.failures++
      remember(frame.scope, error.record)
      frame.scope.root.set('?', false)
      if (!/^(?:silentlycontinue|ignore)$/i.test(wish)) await frame.errors(error.record)
    }
  }
}

/** What a statement gives, as an assignment keeps it. */
export async function resultOf(statement: Statement, frame: Frame): Promise<Value> {
  const only =
    statement.kind === 'pipeline' && statement.elements.length === 1 ? statement.elements[0] : undefined
  if (only?.kind === 'expression') {
    const value = await evaluate(only.expression, frame)
    return value === nothing ? null : value
  }
  if (statement.kind === 'assign') return assign(statement, frame)
  const found: Value[] = []
  await runStatement(statement, { ...frame, emit: value => void found.push(value) })
  return collapse(found)
}

async function emitAll(value: Value, frame: Frame): Promise<void> {
  if (isArray(value)) for (const item of itemsOf(value)) await frame.emit(item)
  else if (value !== null) await frame.emit(value)
  else await frame.emit(null)
}

async function runStatement(statement: Statement, frame: Frame): Promise<void> {
  switch (statement.kind) {
    case 'pipeline':
      return runPipeline(statement.elements, frame)
    case 'assign':
      await assign(statement, frame)
      return
    case 'if':
      for (const { test, body } of statement.branches)
        if (isTrue(await resultOf(test, frame))) return runStatements(body, frame)
      return statement.otherwise && runStatements(statement.otherwise, frame)
    case 'while':
      while (isTrue(await resultOf(statement.test, frame))) if (!(await turn(statement.body, frame))) return
      return
    case 'do':
      do {
        if (!(await turn(statement.body, frame))) return
      } while (isTrue(await resultOf(statement.test, frame)) !== statement.until)
      return
    case 'for':
      if (statement.start) await resultOf(statement.start, frame)
      while (!statement.test || isTrue(await resultOf(statement.test, frame))) {
        if (!(await turn(statement.body, frame))) return
        if (statement.step) await resultOf(statement.step, frame)
      }
      return
    case 'foreach': {
      const over = await resultOf(statement.over, frame)
      // Nothing is gone over for null.
      for (const item of over === null ? [] : over instanceof PsHash ? [over] : itemsOf(over)) {
        setTarget(statement.variable, item, frame)
        if (!(await turn(statement.body, frame))) return
      }
      return
    }
    case 'switch':
      return runSwitch(statement, frame)
    case 'try':
      return runTry(statement, frame)
    case 'function':
      frame.scope.functions.set(statement.name.toLowerCase(), new ScriptBlock(statement.block))
      return
    case 'break':
    case 'continue':
      throw new LoopSignal(statement.kind)
    case 'leave':
      return leave(statement, frame)
  }
}

async function turn(body: readonly Statement[], frame: Frame): Promise<boolean> {
  await frame.shell.call.system.breathe(frame.shell.call.process)
  try {
    await runStatements(body, frame)
    return true
  } catch (error) {
    if (error instanceof LoopSignal) return error.how === 'continue'
    throw error
  }
}

async function leave(statement: Extract<Statement, { kind: 'leave' }>, frame: Frame): Promise<void> {
  const value = statement.value ? await resultOf(statement.value, frame) : null
  if (statement.how === 'exit') throw new ExitSignal(statement.value ? toNumber(value) | 0 : 0)
  if (statement.how === 'return') {
    if (statement.value) await emitAll(value, frame)
    throw new ReturnSignal()
  }
  if (value instanceof NetObject && value.typeName === 'System.Management.Automation.ErrorRecord')
    throw new PsError(value)
  if (!statement.value) throw new PsError(currentError(frame))
  const message = value instanceof NetObject ? textOf(value.get.message?.() ?? value.text()) : textOf(value)
  throw new PsError(
    errorRecord({
      message,
      id: message,
      category: 'OperationStopped',
      target: message,
      thrown: value,
      ...(value instanceof NetObject ? { type: value.typeName } : {}),
    }),
  )
}

function currentError(frame: Frame): NetObject {
  const current = frame.scope.get('_')
  return current instanceof NetObject
    ? current
    : errorRecord({ message: 'ScriptHalted', id: 'ScriptHalted', category: 'OperationStopped' })
}

async function runSwitch(
  { mode, value, cases }: Extract<Statement, { kind: 'switch' }>,
  frame: Frame,
): Promise<void> {
  const over = await resultOf(value, frame)
  for (const item of itemsOf(over)) {
    let found = false
    try {
      frame.scope.set('_', item)
      for (const { test, body } of cases) {
        const fits = test === 'default' ? !found : await fitsCase(test, item, mode, frame)
        if (!fits) continue
        found = true
        await runStatements(body, frame)
      }
    } catch (error) {
      if (!(error instanceof LoopSignal)) throw error
      if (error.how === 'break') return
    }
  }
}

async function fitsCase(test: Expression, item: Value, mode: string, frame: Frame): Promise<boolean> {
  if (test.kind === 'block') {
    const found: Value[] = []
    await frame.shell.run(
      new ScriptBlock(test.block),
      [],
      { ...frame, emit: it => void found.push(it) },
      { item, sameScope: true },
    )
    return isTrue(collapse(found))
  }
  const wanted = await evaluate(test, frame)
  if (mode === '-regex') return regex(textOf(wanted), 'i').test(textOf(item))
  if (mode === '-wildcard') return wildcard(textOf(wanted), false).test(textOf(item))
  return equal(item, wanted, mode === '-casesensitive')
}

async function runTry(
  { body, catches, last }: Extract<Statement, { kind: 'try' }>,
  frame: Frame,
): Promise<void> {
  try {
    await runStatements(body, { ...frame, guarded: true })
  } catch (error) {
    if (!(error instanceof PsError)) throw error
    const exception = error.record.get.exception?.()
    const inner = exception instanceof NetObject ? exception.get.innerexception?.() : null
    const types = [exception, inner ?? null].flatMap(it => (it instanceof NetObject ? [it.typeName] : []))
    const handler = catches.find(
      it =>
        it.types.length === 0 ||
        it.types.some(
          type =>
            types.some(actual => actual.toLowerCase() === fullTypeName(type).toLowerCase()) ||
            /^system\.exception$/i.test(fullTypeName(type)),
        ),
    )
    if (!handler) throw error
    remember(frame.scope, error.record)
    frame.scope.set('_', error.record)
    frame.scope.set('PSItem', error.record)
    await runStatements(handler.body, frame)
  } finally {
    if (last) await runStatements(last, frame)
  }
}

async function assign(
  { target, operator, value }: Extract<Statement, { kind: 'assign' }>,
  frame: Frame,
): Promise<Value> {
  let right = await resultOf(value, frame)
  if (operator !== '=') right = arithmetic(operator.slice(0, -1), await evaluate(target, frame), right)
  await store(target, right, frame)
  return right
}

async function store(target: Expression, value: Value, frame: Frame): Promise<void> {
  if (target.kind === 'cast')
    return store(
      target.operand,
      cast(value, target.type, ms => frame.shell.offsetMinutes(ms)),
      frame,
    )
  if (target.kind === 'variable') return setTarget(target, value, frame)
  if (target.kind === 'member') {
    const name = textOf(await evaluate(target.name, frame))
    return setMember(await evaluate(target.target, frame), name, value, frame)
  }
  if (target.kind === 'index') {
    const holder = await evaluate(target.target, frame)
    return setIndex(holder, await evaluate(target.index, frame), value)
  }
  if (target.kind === 'list') {
    const values = itemsOf(value)
    for (const [index, item] of target.items.entries())
      await store(
        item,
        index === target.items.length - 1 && values.length > target.items.length
          ? values.slice(index)
          : (values[index] ?? null),
        frame,
      )
    return
  }
  throw fail({
    message:
      'The assignment expression is not valid. The input to an assignment operator must be an object that is able to accept assignments, such as a variable or a property.',
    id: 'InvalidLeftHandSide',
    category: 'ParserError',
  })
}

function setTarget(target: Expression, value: Value, { scope, shell }: Frame): void {
  if (target.kind !== 'variable') return
  if (target.scope === 'env') environmentOf(shell).set(target.name, textOf(value))
  else if (target.scope === 'global' || target.scope === 'script') scope.root.set(target.name, value)
  else if (!/^(?:true|false|null)$/i.test(target.name)) scope.set(target.name, value)
}

/** The value of an expression. Throws PsError. */
export async function evaluate(expression: Expression, frame: Frame): Promise<Value> {
  switch (expression.kind) {
    case 'literal':
      return expression.value
    case 'text': {
      let text = ''
      for (const part of expression.parts)
        text += typeof part === 'string' ? part : textOf(await evaluate(part, frame))
      return text
    }
    case 'variable':
      return variable(expression, frame)
    case 'list': {
      const items: Value[] = []
      for (const item of expression.items) items.push(await evaluate(item, frame))
      return items
    }
    case 'array':
    case 'statements': {
      const items: Value[] = []
      await runStatements(expression.body, { ...frame, emit: value => void items.push(value) })
      return expression.kind === 'array' ? items : collapse(items)
    }
    case 'hash': {
      const hash = new PsHash()
      for (const [key, value] of expression.pairs)
        hash.set(await evaluate(key, frame), await resultOf(value, frame))
      return hash
    }
    case 'block':
      return new ScriptBlock(expression.block)
    case 'type':
      return new TypeRef(fullTypeName(expression.name))
    case 'cast': {
      const value = await evaluate(expression.operand, frame)
      return cast(value, expression.type, ms => frame.shell.offsetMinutes(ms))
    }
    case 'member':
      return frame.shell.member(
        await evaluate(expression.target, frame),
        textOf(await evaluate(expression.name, frame)),
        frame,
      )
    case 'call': {
      const target = await evaluate(expression.target, frame)
      const args: Value[] = []
      for (const it of expression.args) {
        const value = await evaluate(it, frame)
        args.push(value === nothing ? null : value)
      }
      return frame.shell.invoke(target, textOf(await evaluate(expression.name, frame)), args, frame)
    }
    case 'index':
      return indexOf(await evaluate(expression.target, frame), await evaluate(expression.index, frame))
    case 'binary':
      return operate(expression, frame)
    case 'unary':
      return unary(expression.operator, await evaluate(expression.operand, frame))
    case 'step': {
      const before = toNumber(await evaluate(expression.operand, frame))
      const after = expression.operator === '++' ? before + 1 : before - 1
      await store(expression.operand, after, frame)
      return expression.prefix ? after : before
    }
    case 'group':
      return resultOf(expression.statement, frame)
  }
}

function unary(operator: string, value: Value): Value {
  switch (operator) {
    case '-not':
    case '!':
      return !isTrue(value)
    case '-bnot':
      return typeof value === 'bigint' ? ~value : ~toNumber(value)
    case '-join':
      return itemsOf(value)
        .map(it => textOf(it))
        .join('')
    case '-split':
    case '-isplit':
    case '-csplit':
      return itemsOf(value).flatMap(it => textOf(it).trim().split(/\s+/))
    case '-':
      return typeof value === 'bigint' ? -value : arithmetic('-', 0, value)
    default:
      return arithmetic('+', 0, value)
  }
}

async function operate(
  { operator, left, right }: Extract<Expression, { kind: 'binary' }>,
  frame: Frame,
): Promise<Value> {
  const first = await evaluate(left, frame)
  if (operator === '-and' && !isTrue(first)) return false
  if (operator === '-or' && isTrue(first)) return true
  return binary(operator, first, await evaluate(right, frame), {
    offsetMinutes: ms => frame.shell.offsetMinutes(ms),
    setMatches: groups => frame.scope.set('Matches', groups),
    call: async (block, args) => {
      const found: Value[] = []
      await frame.shell.run(block, args, { ...frame, emit: value => void found.push(value) })
      return collapse(found)
    },
  })
}

function variable(
  { scope: where, name }: Extract<Expression, { kind: 'variable' }>,
  { scope, shell }: Frame,
): Value {
  if (where === 'env') return environmentOf(shell).get(name) ?? null
  if (where === 'global' || where === 'script') return scope.root.get(name)
  switch (name.toLowerCase()) {
    case 'true':
      return true
    case 'false':
      return false
    case 'null':
      return null
    default:
      return scope.get(name)
  }
}
