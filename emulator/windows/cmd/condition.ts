import { fitsPattern, resolvePath, splitPath } from '../store/files.js'
import type { Condition } from './parse.js'
import type { Shell } from './session.js'

/** Whether the condition of an IF holds. */
export function evaluate(shell: Shell, condition: Condition, finish: (text: string) => string): boolean {
  const result = holds(shell, condition, finish(condition.left), finish(condition.right))
  return condition.not ? !result : result
}

function holds(shell: Shell, { operator, ignoreCase }: Condition, left: string, right: string): boolean {
  switch (operator) {
    case 'exist':
      return exists(shell, left.replaceAll('"', ''))
    case 'defined':
      return shell.env.get(left) !== undefined
    case 'errorlevel':
      return (shell.errorLevel | 0) >= Number(left)
    case 'cmdextversion':
      return 2 >= Number(left)
    case '==':
      return ignoreCase ? left.toLowerCase() === right.toLowerCase() : left === right
    default:
      return compare(operator, order(left, right, ignoreCase))
  }
}

function order(left: string, right: string, ignoreCase: boolean): number {
  if (/^-?\d+$/.test(left) && /^-?\d+$/.test(right)) return Number(left) - Number(right)
  const [a, b] = ignoreCase ? [left.toLowerCase(), right.toLowerCase()] : [left, right]
  return a < b ? -1 : a > b ? 1 : 0
}

function compare(operator: string, value: number): boolean {
  switch (operator) {
    case 'EQU':
      return value === 0
    case 'NEQ':
      return value !== 0
    case 'LSS':
      return value < 0
    case 'LEQ':
      return value <= 0
    case 'GTR':
      return value > 0
    default:
      return value >= 0
  }
}

/** A path that ends in `\` is there only as a folder. */
function exists({ system, cwd }: Shell, path: string): boolean {
  if (/^nul$/i.test(path)) return true
  const full = resolvePath(cwd, path)
  if (/[*?]/.test(path)) {
    const { folder, name } = splitPath(full)
    const node = system.files.find(folder)
    return node?.type === 'folder' && [...node.entries.values()].some(entry => fitsPattern(entry.name, name))
  }
  const node = system.files.find(full)
  return node !== undefined && (!/[\\/]$/.test(path) || node.type === 'folder')
}
