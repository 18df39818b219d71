import type { Bytes } from '../files/bytes.js'
import type { ShellFlavour } from '../system/system.js'
import type { ArithmeticNode, ScriptNode, WordNode, WordPart } from './ast.js'
import { fixed, type Piece, type Pieces } from './fields.js'
import type { Variables } from './variables.js'

/** What expansions need of the shell that they happen in. */
export interface ExpansionHost {
  readonly variables: Variables
  readonly flavour: ShellFlavour
  /** `$1`, `$2`, … */
  readonly positional: readonly Bytes[]
  /** `set -u` */
  readonly noUnset: boolean
  /** `set -f` */
  readonly noGlob: boolean
  /** The value of `$#`, `$?`, `$$` and the like; undefined for other names. */
  special(name: string): Bytes | undefined
  /** Runs a command substitution and gives its output, without its last newlines. */
  substitute(script: ScriptNode): Promise<Bytes>
  home(user: string): Bytes | undefined
  glob(pattern: Bytes): Bytes[]
}

/** Where an expansion stands: `operand` is the word of `${x:-word}` outside quotes. */
export type Context = 'plain' | 'quoted' | 'operand'

/** Text that an expansion gave: split and matched, unless it stands in quotes. */
export function result(text: Bytes, context: Context): Piece {
  return context === 'quoted' ? fixed(text) : { text, glob: true, split: true, quoted: false }
}

/** How the expansion of a parameter expands the words inside it. */
export interface Recursion {
  parts(host: ExpansionHost, parts: readonly WordPart[], context: Context): Promise<Pieces>
  text(host: ExpansionHost, word: WordNode, context?: Context): Promise<Bytes>
  pattern(host: ExpansionHost, word: WordNode): Promise<Bytes>
  arithmetic(host: ExpansionHost, node: ArithmeticNode): Promise<Bytes>
}
