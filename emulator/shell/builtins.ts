import type { Bytes } from '../files/bytes.js'
import type { ShellFlavour } from '../system/system.js'
import { controlBuiltins } from './builtins/control.js'
import { environmentBuiltins } from './builtins/environment.js'
import { jobBuiltins } from './builtins/jobs.js'
import { outputBuiltins } from './builtins/output.js'
import { readBuiltins } from './builtins/read.js'
import type { Builtin } from './engine.js'

/** POSIX 2.14: found before functions; assignments before them stay. */
const special = new Set([
  ':',
  '.',
  'break',
  'continue',
  'eval',
  'exec',
  'exit',
  'export',
  'readonly',
  'return',
  'set',
  'shift',
  'times',
  'trap',
  'unset',
])

const table: ReadonlyMap<string, Builtin> = new Map(
  Object.entries({
    ...controlBuiltins,
    ...environmentBuiltins,
    ...jobBuiltins,
    ...outputBuiltins,
    ...readBuiltins,
  }),
)

export function isSpecial(name: Bytes): boolean {
  return special.has(name)
}

/** The builtin of that name in that kind of shell. */
export function builtins(name: Bytes, flavour: ShellFlavour): Builtin | undefined {
  const builtin = table.get(name)
  return builtin?.bashOnly && flavour !== 'bash' ? undefined : builtin
}
