/** What PowerShell's grammar makes of a text: the part of it that GRAMMAR.md describes. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | bigint | boolean | null }
  | { readonly kind: 'text'; readonly parts: readonly (string | Expression)[] }
  | { readonly kind: 'variable'; readonly scope: string; readonly name: string }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'array'; readonly body: readonly Statement[] }
  | { readonly kind: 'hash'; readonly pairs: readonly (readonly [Expression, Statement])[] }
  | { readonly kind: 'block'; readonly block: Block }
  | { readonly kind: 'type'; readonly name: string }
  | { readonly kind: 'cast'; readonly type: string; readonly operand: Expression }
  | {
      readonly kind: 'member'
      readonly target: Expression
      readonly name: Expression
      readonly isStatic: boolean
    }
  | {
      readonly kind: 'call'
      readonly target: Expression
      readonly name: Expression
      readonly isStatic: boolean
      readonly args: readonly Expression[]
    }
  | { readonly kind: 'index'; readonly target: Expression; readonly index: Expression }
  | {
      readonly kind: 'binary'
      readonly operator: string
      readonly left: Expression
      readonly right: Expression
    }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: Expression }
  | {
      readonly kind: 'step'
      readonly operator: '++' | '--'
      readonly prefix: boolean
      readonly operand: Expression
    }
  | { readonly kind: 'group'; readonly statement: Statement }
  | { readonly kind: 'statements'; readonly body: readonly Statement[] }

export interface Argument {
  /** A parameter's name without its dash; undefined of a positional argument. */
  readonly name: string | undefined
  readonly value: Expression | undefined
}

export type Element =
  | { readonly kind: 'expression'; readonly expression: Expression }
  | {
      readonly kind: 'command'
      readonly operator: '&' | '.' | undefined
      readonly name: Expression
      readonly args: readonly Argument[]
      readonly redirections: readonly StreamRedirection[]
    }

export interface StreamRedirection {
  readonly stream: string
  readonly append: boolean
  /** Undefined where one stream is merged into another (`2>&1`). */
  readonly target: Expression | undefined
}

export type Statement =
  | { readonly kind: 'pipeline'; readonly elements: readonly Element[] }
  | {
      readonly kind: 'assign'
      readonly target: Expression
      readonly operator: string
      readonly value: Statement
    }
  | {
      readonly kind: 'if'
      readonly branches: readonly { readonly test: Statement; readonly body: readonly Statement[] }[]
      readonly otherwise: readonly Statement[] | undefined
    }
  | { readonly kind: 'while'; readonly test: Statement; readonly body: readonly Statement[] }
  | {
      readonly kind: 'do'
      readonly test: Statement
      readonly until: boolean
      readonly body: readonly Statement[]
    }
  | {
      readonly kind: 'for'
      readonly start: Statement | undefined
      readonly test: Statement | undefined
      readonly step: Statement | undefined
      readonly body: readonly Statement[]
    }
  | {
      readonly kind: 'foreach'
      readonly variable: Expression
      readonly over: Statement
      readonly body: readonly Statement[]
    }
  | {
      readonly kind: 'switch'
      readonly mode: string
      readonly value: Statement
      readonly cases: readonly {
        readonly test: Expression | 'default'
        readonly body: readonly Statement[]
      }[]
    }
  | {
      readonly kind: 'try'
      readonly body: readonly Statement[]
      readonly catches: readonly { readonly types: readonly string[]; readonly body: readonly Statement[] }[]
      readonly last: readonly Statement[] | undefined
    }
  | {
      readonly kind: 'leave'
      readonly how: 'throw' | 'return' | 'exit'
      readonly value: Statement | undefined
    }
  | { readonly kind: 'break' | 'continue' }
  | { readonly kind: 'function'; readonly name: string; readonly block: Block }

export interface Parameter {
  readonly name: string
  readonly type: string | undefined
  readonly value: Expression | undefined
}

/** A script, the body of a function, or what stands in braces. */
export interface Block {
  readonly source: string
  readonly parameters: readonly Parameter[]
  readonly begin: readonly Statement[]
  readonly body: readonly Statement[]
  readonly end: readonly Statement[]
}
