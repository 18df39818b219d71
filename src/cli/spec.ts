/** What a value looks like; parsing refuses anything else. A flag without one is a switch. */
export type ValueKind = 'text' | 'count' | 'duration' | 'label' | 'shard' | 'output'

/** What a shell offers where a value is wanted. */
export type Completes = 'file' | 'folder' | 'run'

/** One flag of a command. */
export interface FlagSpec {
  /** Without dashes. */
  readonly name: string
  /** One letter, without the dash. */
  readonly alias?: string
  /** The value's placeholder in capitals; a switch has none. */
  readonly value?: string
  readonly kind?: ValueKind
  /** The smallest allowed count; default 0. */
  readonly least?: number
  readonly description: string
  readonly choices?: readonly string[]
  readonly default?: string
  /** May be given more than once; every value counts. */
  readonly repeatable?: boolean
  readonly completes?: Completes
  /** The heading that it stands under in help. */
  readonly group: string
}

/** One positional argument of a command. */
export interface ArgumentSpec {
  /** In capitals. */
  readonly name: string
  readonly description: string
  readonly choices?: readonly string[]
  /** What a shell offers, though other values may be given. */
  readonly suggests?: readonly string[]
  readonly optional?: boolean
  /** Takes all that follow. */
  readonly repeatable?: boolean
  readonly completes?: Completes
}

/** A command line and what it does. */
export interface ExampleSpec {
  readonly line: string
  readonly does: string
}

/** What a command prints on standard output; the flags `--json` and `--quiet` come with it. */
export type PrintSpec =
  | {
      /** Rows, findings or counts: one JSON document with `--json`. */
      readonly kind: 'result'
      /** The names in `shapes.ts` that the documents have. */
      readonly shapes: readonly string[]
      /** What `--quiet` leaves, as help says it. */
      readonly quiet: string
    }
  /** What happens in a run: the journal with `--json`. */
  | { readonly kind: 'events' }
  /** Text in a form of its own, or where something was written. */
  | { readonly kind: 'text'; readonly what: string }

/** One command: its parsing, its help, its page and its completion are all made of this. */
export interface CommandSpec {
  /** `lab build` is `['lab', 'build']`. */
  readonly path: readonly string[]
  /** The heading that it stands under in help. */
  readonly group: string
  /** One line, beginning with a verb. */
  readonly summary: string
  /** More about it, a paragraph each. */
  readonly description: readonly string[]
  readonly arguments: readonly ArgumentSpec[]
  readonly flags: readonly FlagSpec[]
  readonly examples: readonly ExampleSpec[]
  readonly prints: PrintSpec
  /** The exit codes that it can end with. */
  readonly exits: readonly number[]
  /** The file beside this one that carries it out. */
  readonly module: string
}
