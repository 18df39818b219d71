import type { Environment } from '../system/environment.js'

/** `set /a`: 32-bit signed arithmetic. Gives the value, or what cmd says of it. */
export function arithmetic(text: string, env: Environment): number | string {
  let value: number | string = 0
  for (const part of text
    .replace(/^\s*"|"\s*$/g, '')
    .replaceAll('"', '')
    .split(',')) {
    const assignment = /^\s*([A-Za-z_]\w*)\s*([-+*/%]?)=(?!=)(.*)$/.exec(part)
    const right = evaluate(assignment?.[3] ?? part, env)
    if (typeof right === 'string') return right
    value = right
    if (assignment) {
      const [, name = '', operator = ''] = assignment
      const before = Number(env.get(name) ?? 0) | 0
      if (operator !== '') value = evaluate(`(${before})${operator}(${right})`, env)
      if (typeof value === 'string') return value
      env.set(name, String(value))
    }
  }
  return value
}

const levels: readonly (readonly string[])[] = [
  ['|'],
  ['^'],
  ['&'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
]

function evaluate(text: string, env: Environment): number | string {
  const tokens = text.match(/0x[0-9a-f]+|\d+|[A-Za-z_]\w*|<<|>>|[-+*/%&|^~!()]/gi) ?? []
  let at = 0
  let trouble: string | undefined
  const unary = (): number => {
    const token = tokens[at++]
    if (token === undefined) {
      trouble ??= 'Missing operand.'
      return 0
    }
    if (token === '-') return -unary() | 0
    if (token === '+') return unary()
    if (token === '~') return ~unary()
    if (token === '!') return unary() === 0 ? 1 : 0
    if (token === '(') {
      const inner = binary(0)
      if (tokens[at++] !== ')') trouble ??= 'Unbalanced parenthesis.'
      return inner
    }
    if (/^0x/i.test(token)) return Number.parseInt(token, 16) | 0
    if (/^0\d/.test(token)) return Number.parseInt(token, 8) | 0
    if (/^\d/.test(token)) return Number(token) | 0
    return Number.parseInt(env.get(token) ?? '0', 10) | 0
  }
  const binary = (level: number): number => {
    const operators = levels[level]
    if (!operators) return unary()
    let left = binary(level + 1)
    while (operators.includes(tokens[at] ?? '')) {
      const operator = tokens[at++] ?? ''
      const right = binary(level + 1)
      if ((operator === '/' || operator === '%') && right === 0) trouble ??= 'Divide by zero error.'
      left = apply(operator, left, right)
    }
    return left
  }
  const value = binary(0)
  return trouble ?? value
}

function apply(operator: string, left: number, right: number): number {
  switch (operator) {
    case '|':
      return left | right
    case '^':
      return left ^ right
    case '&':
      return left & right
    case '<<':
      return left << right
    case '>>':
      return left >> right
    case '+':
      return (left + right) | 0
    case '-':
      return (left - right) | 0
    case '*':
      return Math.imul(left, right)
    case '/':
      return right === 0 ? 0 : Math.trunc(left / right) | 0
    default:
      return right === 0 ? 0 : (left % right) | 0
  }
}
