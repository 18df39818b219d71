import type { Conditional } from './ast.js'
import { ShellError } from './control.js'
import { expandToPattern, expandToText } from './expand.js'
import { matchesPattern } from './pattern.js'
import type { Shell } from './shell.js'
import { applyBinary, applyUnary } from './test.js'

/** Evaluates bash's `[[ … ]]`; dash does not know it. */
export async function evaluateConditional(shell: Shell, node: Conditional): Promise<boolean> {
  if (shell.flavour === 'dash') throw new ShellError('[[: not found', 127)
  const host = { tree: shell.system.tree, process: shell.process }
  switch (node.type) {
    case 'CondWord':
      return (await expandToText(shell, node.word)) !== ''
    case 'CondNot':
      return !(await evaluateConditional(shell, node.operand))
    case 'CondGroup':
      return evaluateConditional(shell, node.expression)
    case 'CondAnd':
      return (await evaluateConditional(shell, node.left)) && evaluateConditional(shell, node.right)
    case 'CondOr':
      return (await evaluateConditional(shell, node.left)) || evaluateConditional(shell, node.right)
    case 'CondUnary': {
      const operand = await expandToText(shell, node.operand)
      return node.operator === '-v'
        ? shell.variables.get(operand) !== undefined
        : applyUnary(node.operator, operand, host)
    }
    case 'CondBinary': {
      const left = await expandToText(shell, node.left)
      if (node.operator === '=~') return new RegExp(await expandToText(shell, node.right)).test(left)
      if (node.operator === '=' || node.operator === '==')
        return matchesPattern(await expandToPattern(shell, node.right), left)
      if (node.operator === '!=') return !matchesPattern(await expandToPattern(shell, node.right), left)
      return applyBinary(node.operator, left, await expandToText(shell, node.right), host)
    }
  }
}
