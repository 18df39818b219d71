import { openPath } from '../files/open.js'
import { Pipe } from '../files/pipe.js'
import type { ExitStatus } from '../system/process.js'
import { statusCode } from '../system/run-to-end.js'
import {
  type CommandNode,
  type CompoundNode,
  isOneCommand,
  type PipelineNode,
  type StatementNode,
} from './ast.js'
import { evaluateConditional } from './conditional.js'
import { Exit, LoopJump, ShellError } from './control.js'
import { expandArithmetic, expandToPattern, expandToText, expandWords } from './expand.js'
import { matchesPattern } from './pattern.js'
import { type Redirected, redirect } from './redirect.js'
import type { Shell } from './shell.js'
import { report, runSimple } from './simple.js'

/** Runs statements one after another; the shell's status is that of the last. */
export async function runStatements(shell: Shell, statements: readonly StatementNode[]): Promise<void> {
  for (const statement of statements) await runStatement(shell, statement)
}

async function runStatement(shell: Shell, statement: StatementNode): Promise<void> {
  if (statement.deferredError) throw new ShellError(`Syntax error: ${statement.deferredError.message}`, 2)
  if (statement.background) return runInBackground(shell, statement)
  await runList(shell, statement)
}

async function runList(shell: Shell, { pipelines, operators }: StatementNode): Promise<void> {
  for (const [index, pipeline] of pipelines.entries()) {
    const before = index === 0 ? ';' : (operators[index - 1] ?? ';')
    if (before === '&&' && shell.status !== 0) continue
    if (before === '||' && shell.status === 0) continue
    const after = operators[index]
    await runPipeline(shell, pipeline, after === '&&' || after === '||')
  }
}

async function runPipeline(shell: Shell, pipeline: PipelineNode, tested: boolean): Promise<void> {
  await shell.system.breathe(shell.process)
  await shell.runPendingTraps()
  if (tested || pipeline.negated) shell.tested++
  const [only] = pipeline.commands
  try {
    if (pipeline.commands.length === 1 && only) await runCommand(shell, only)
    else shell.status = await runPiped(shell, pipeline)
  } finally {
    if (tested || pipeline.negated) shell.tested--
  }
  if (pipeline.negated) {
    shell.status = shell.status === 0 ? 1 : 0
    return
  }
  const decides = pipeline.commands.length > 1 || only?.type === 'SimpleCommand' || only?.type === 'Subshell'
  if (shell.status !== 0 && !tested && decides && shell.tested === 0 && shell.options.has('e'))
    throw new Exit(shell.status)
}

/** Runs the commands of a pipeline at the same time, each in a process of its own. */
async function runPiped(shell: Shell, pipeline: PipelineNode): Promise<number> {
  const ended: Promise<ExitStatus>[] = []
  let input: ReturnType<Pipe['reader']> | undefined
  for (const [index, command] of pipeline.commands.entries()) {
    const child = shell.fork()
    if (input) child.process.files.set(0, input)
    input = undefined
    if (index < pipeline.commands.length - 1) {
      const pipe = new Pipe()
      input = pipe.reader()
      child.process.files.set(1, pipe.writer())
      if (pipeline.pipeStderr?.[index]) child.process.files.set(2, child.process.files.need(1).retain())
    }
    child.mayBecome = command.type === 'SimpleCommand'
    ended.push(child.runAsChild(it => runCommand(it, command)))
  }
  const statuses = (await shell.process.whileAlive(Promise.all(ended))).map(statusCode)
  const failed = shell.pipefail ? statuses.findLast(status => status !== 0) : undefined
  return failed ?? statuses.at(-1) ?? 0
}

function runInBackground(shell: Shell, statement: StatementNode): void {
  const child = shell.fork()
  const quiet = openPath(shell.system.tree, '/dev/null', { read: true }, child.process)
  child.process.files.set(0, quiet)
  child.process.ignored.add('INT')
  child.process.ignored.add('QUIT')
  child.mayBecome = isOneCommand(statement)
  shell.lastBackground = child.process.pid
  shell.jobs.set(
    child.process.pid,
    child.runAsChild(it => runList(it, statement)),
  )
  shell.status = 0
}

/** Runs one command of any kind. */
export async function runCommand(shell: Shell, command: CommandNode): Promise<void> {
  const { mayBecome } = shell
  shell.mayBecome = false
  if (command.type === 'SimpleCommand') return runSimple(shell, command, mayBecome)
  if (command.type === 'FunctionDef') {
    shell.functions = new Map(shell.functions).set(command.name, command)
    shell.status = 0
    return
  }
  let redirected: Redirected
  try {
    redirected = await redirect(shell, command.redirections)
  } catch (error) {
    shell.status = await report(shell, error)
    return
  }
  // A shell that does nothing else afterwards keeps no copy of what it redirects: nobody waits for its output.
  if (mayBecome) redirected.keep()
  try {
    await runCompound(shell, command, mayBecome)
  } finally {
    redirected.undo()
  }
}

async function runCompound(shell: Shell, command: CompoundNode, mayBecome: boolean): Promise<void> {
  switch (command.type) {
    case 'Group':
      return runStatements(shell, command.body)
    case 'Subshell': {
      if (mayBecome) return runStatements(shell, command.body)
      const child = shell.fork()
      shell.status = statusCode(
        await shell.process.whileAlive(child.runAsChild(it => runStatements(it, command.body))),
      )
      return
    }
    case 'If':
      for (const clause of command.clauses) {
        if (await holds(shell, clause.condition)) return runStatements(shell, clause.body)
      }
      shell.status = 0
      if (command.elseBody) await runStatements(shell, command.elseBody)
      return
    case 'While':
    case 'Until':
      return loop(shell, () => repeat(shell, command))
    case 'For':
      return loop(shell, () => each(shell, command))
    case 'CStyleFor':
      return loop(shell, () => count(shell, command))
    case 'Case':
      return choose(shell, command)
    case 'ArithmeticCommand':
      shell.status = (await expandArithmetic(shell, command.expression)) === '0' ? 1 : 0
      return
    case 'ConditionalCommand':
      shell.status = (await evaluateConditional(shell, command.expression)) ? 0 : 1
      return
  }
}

async function holds(shell: Shell, condition: readonly StatementNode[]): Promise<boolean> {
  shell.tested++
  try {
    await runStatements(shell, condition)
  } finally {
    shell.tested--
  }
  return shell.status === 0
}

/** Runs a loop; `break` leaves it. */
async function loop(shell: Shell, turns: () => Promise<void>): Promise<void> {
  try {
    await turns()
  } catch (error) {
    if (!(error instanceof LoopJump)) throw error
    if (error.levels > 1) {
      error.levels--
      throw error
    }
    shell.status = 0
  }
}

/** Runs the body of a loop once; `continue` ends the turn. */
async function turn(shell: Shell, body: readonly StatementNode[]): Promise<void> {
  await shell.system.breathe(shell.process)
  try {
    await runStatements(shell, body)
  } catch (error) {
    if (!(error instanceof LoopJump) || error.kind === 'break' || error.levels > 1) throw error
    shell.status = 0
  }
}

type LoopNode<Type extends CompoundNode['type']> = Extract<CompoundNode, { type: Type }>

async function repeat(shell: Shell, command: LoopNode<'While' | 'Until'>): Promise<void> {
  let status = 0
  while ((await holds(shell, command.condition)) === (command.type === 'While')) {
    await turn(shell, command.body)
    status = shell.status
  }
  shell.status = status
}

async function each(shell: Shell, command: LoopNode<'For'>): Promise<void> {
  const values = command.words ? await expandWords(shell, command.words) : shell.positional
  shell.status = 0
  for (const value of values) {
    shell.variables.set(command.variable, value)
    await turn(shell, command.body)
  }
}

async function count(shell: Shell, command: LoopNode<'CStyleFor'>): Promise<void> {
  if (command.init) await expandArithmetic(shell, command.init)
  shell.status = 0
  while (!command.condition || (await expandArithmetic(shell, command.condition)) !== '0') {
    await turn(shell, command.body)
    if (command.update) await expandArithmetic(shell, command.update)
  }
}

async function choose(shell: Shell, command: LoopNode<'Case'>): Promise<void> {
  const word = await expandToText(shell, command.word)
  shell.status = 0
  let falling = false
  for (const item of command.items) {
    let matched = falling
    for (const pattern of item.patterns)
      matched ||= matchesPattern(await expandToPattern(shell, pattern), word)
    if (!matched) continue
    await runStatements(shell, item.body)
    if (item.terminator === ';;') return
    falling = item.terminator === ';&'
  }
}
