import { builtins, isSpecial } from './builtins.js'
import type { Engine } from './engine.js'
import { runCommand, runStatements } from './run.js'
import { runWords, start } from './simple.js'

/** The one engine of all shells. */
export const interpreter: Engine = {
  runStatements,
  runCommand,
  runWords,
  start,
  builtin: builtins,
  isSpecial,
}
