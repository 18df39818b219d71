import type {
  CommandNode,
  PipelineNode,
  ScriptNode,
  SimpleCommandNode,
  StatementNode,
  WordNode,
} from 'just-bash'

export type { CommandNode, PipelineNode, ScriptNode, SimpleCommandNode, StatementNode, WordNode }

/** A piece of a word. */
export type WordPart = WordNode['parts'][number]

/** `$x` and `${x…}`. */
export type ParameterPart = Extract<WordPart, { type: 'ParameterExpansion' }>
export type ParameterOperation = NonNullable<ParameterPart['operation']>
export type ArithmeticPart = Extract<WordPart, { type: 'ArithmeticExpansion' }>
export type ArithmeticNode = ArithmeticPart['expression']

export type RedirectionNode = SimpleCommandNode['redirections'][number]
export type AssignmentNode = SimpleCommandNode['assignments'][number]
export type FunctionNode = Extract<CommandNode, { type: 'FunctionDef' }>
export type CompoundNode = FunctionNode['body']
export type ConditionalNode = Extract<CompoundNode, { type: 'ConditionalCommand' }>
export type Conditional = ConditionalNode['expression']

/** just-bash, loaded when the first script is run: it is heavy. */
export type JustBash = typeof import('just-bash')

let loading: Promise<JustBash> | undefined

/** Loads just-bash, whose parser and text filters the emulated shell uses. */
export function loadJustBash(): Promise<JustBash> {
  loading ??= import('just-bash')
  return loading
}

/** A script that the shell cannot read. */
export class ShellSyntaxError extends Error {
  readonly line: number

  constructor(message: string, line: number) {
    super(message)
    this.line = line
  }
}

const parsed = new Map<string, ScriptNode>()
const keptScripts = 256

/** Reads a script. The same text is read once. Throws {@link ShellSyntaxError}. */
export async function parseScript(text: string): Promise<ScriptNode> {
  const known = parsed.get(text)
  if (known) return known
  const { parse } = await loadJustBash()
  let script: ScriptNode
  try {
    script = parse(text)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const place = /^Parse error at (\d+):\d+: (.*)$/s.exec(message)
    throw new ShellSyntaxError(place?.[2] ?? message, Number(place?.[1] ?? 1))
  }
  if (parsed.size >= keptScripts) parsed.clear()
  parsed.set(text, script)
  return script
}

/** Whether a statement is one command, of any kind, and nothing else. */
export function isOneCommand(statement: StatementNode | undefined): boolean {
  const [pipeline] = statement?.pipelines ?? []
  return statement?.pipelines.length === 1 && pipeline?.commands.length === 1 && !pipeline.negated
}

/** Whether a statement is one simple command and nothing else. */
export function isSimple(statement: StatementNode | undefined): boolean {
  return isOneCommand(statement) && statement?.pipelines[0]?.commands[0]?.type === 'SimpleCommand'
}
