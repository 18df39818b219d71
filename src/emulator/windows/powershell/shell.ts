import type { Call } from '../system/context.js'
import { LineReader } from '../system/io.js'
import { decode, encode } from '../text/code-pages.js'
import { aliases } from './cmdlets/aliases.js'
import { cmdlets } from './cmdlets/table.js'
import { typed } from './commands.js'
import { versionObject } from './convert.js'
import { errorRecord, errorText, fail, PsError, ReturnSignal } from './errors.js'
import { evaluate, runStatements } from './evaluate.js'
import { formatValues } from './format.js'
import { invokeMember, memberOf } from './members.js'
import type { Expression } from './parse/ast.js'
import { ParseProblem } from './parse/cursor.js'
import { parseScript } from './parse/parser.js'
import { type Frame, type PowerShell, type RunOptions, Scope } from './runtime.js'
import { setConsole } from './types/console.js'
import { makeObject } from './types/objects.js'
import { staticMember, staticMethod } from './types/statics.js'
import { NetObject, nothing, PsHash, ScriptBlock, type Value } from './values.js'

/** How the host writes what is not the output of the script. */
export interface HostStyle {
  /** Errors go out as CLIXML, as they do for `-EncodedCommand` without `-OutputFormat Text`. */
  readonly clixml: boolean
}

/** One runspace of an emulated powershell.exe. */
export class Runspace implements PowerShell {
  readonly call: Call
  readonly major: number
  readonly global = new Scope(undefined)
  failures = 0
  readonly #reader: LineReader
  readonly #style: HostStyle
  readonly #errorsOut: { started: boolean }

  constructor(call: Call, style: HostStyle, reader?: LineReader, errorsOut?: { started: boolean }) {
    const facts = call.system.persona.powershell
    this.call = call
    this.major = Number((facts?.version ?? '2').split('.')[0])
    this.#style = style
    this.#reader = reader ?? new LineReader(call.io.stdin)
    this.#errorsOut = errorsOut ?? { started: false }
    this.#setVariables()
  }

  #setVariables(): void {
    const { system, process } = this.call
    const facts = system.persona.powershell
    const home = `${system.persona.os.systemRoot}\\System32\\WindowsPowerShell\\v1.0`
    const table = new PsHash()
    table.set('PSVersion', versionObject(facts?.version ?? '2.0'))
    if (this.major >= 5) table.set('PSEdition', 'Desktop')
    table.set('BuildVersion', versionObject(facts?.build ?? ''))
    table.set('CLRVersion', versionObject(facts?.clr ?? ''))
    table.set('WSManStackVersion', versionObject(this.major >= 3 ? '3.0' : '2.0'))
    const errors: Value[] = []
    const values: readonly (readonly [string, Value])[] = [
      ['PSVersionTable', table],
      ['PSHOME', home],
      ['HOME', this.call.env.get('USERPROFILE') ?? ''],
      ['PID', process.pid],
      ['PWD', this.call.cwd],
      ['ErrorActionPreference', 'Continue'],
      ['ProgressPreference', 'Continue'],
      ['WarningPreference', 'Continue'],
      ['VerbosePreference', 'SilentlyContinue'],
      ['DebugPreference', 'SilentlyContinue'],
      ['LASTEXITCODE', null],
      ['OFS', ' '],
      ['?', true],
      [
        'Host',
        new NetObject('System.Management.Automation.Internal.Host.InternalHost', {
          get: { name: () => 'ConsoleHost', version: () => versionObject(facts?.version ?? '2.0') },
        }),
      ],
      [
        'Error',
        new NetObject('System.Collections.ArrayList', {
          get: { count: () => errors.length },
          inner: errors,
          methods: {
            clear: () => {
              errors.length = 0
              return nothing
            },
          },
        }),
      ],
    ]
    for (const [name, value] of values) this.global.set(name, value)
  }

  /** The frame of a script that is given to the process. */
  top(): Frame {
    return {
      shell: this,
      scope: this.global,
      emit: value => this.show(value),
      errors: this.showError,
      guarded: false,
    }
  }

  cmdletNamed(name: string): string | undefined {
    const found = cmdlets.get(aliases[name.toLowerCase()] ?? name.toLowerCase())
    return found && (found.since ?? 1) <= this.major ? found.name : undefined
  }

  evaluate(expression: Expression, frame: Frame): Promise<Value> {
    return evaluate(expression, frame)
  }

  blockOf(text: string): ScriptBlock {
    try {
      return new ScriptBlock(parseScript(text))
    } catch (error) {
      if (!(error instanceof ParseProblem)) throw error
      const { line, column, near } = place(text, error.at)
      throw fail({
        message:
          this.major >= 3
            ? `At line:${line} char:${column}\r\n+ ${near}\r\n+ ${' '.repeat(Math.max(0, column - 1))}~\r\n${error.message}`
            : error.message,
        type: 'System.Management.Automation.ParseException',
        id: error.id,
        category: 'ParserError',
      })
    }
  }

  async run(
    { block }: ScriptBlock,
    args: readonly Value[],
    frame: Frame,
    options: RunOptions = {},
  ): Promise<void> {
    const scope = options.sameScope ? frame.scope : new Scope(frame.scope)
    const inner: Frame = { ...frame, shell: this, scope }
    const rest = [...args]
    const bind = async (): Promise<void> => {
      for (const parameter of block.parameters) {
        const named = options.named?.get(parameter.name.toLowerCase())
        let value: Value
        if (named !== undefined) value = named
        else if (rest.length > 0) value = rest.shift() ?? null
        else if (parameter.value) value = await evaluate(parameter.value, inner)
        else value = /^switch$/i.test(parameter.type ?? '') ? false : null
        scope.set(
          parameter.name,
          typed(value, /^switch$/i.test(parameter.type ?? '') ? undefined : parameter.type, inner),
        )
      }
      if (!options.sameScope || block.parameters.length > 0) scope.set('args', rest)
    }
    try {
      await bind()
      if (options.item !== undefined) {
        scope.set('_', options.item)
        scope.set('PSItem', options.item)
      }
      await runStatements(block.begin, inner)
      if (options.input && (block.begin.length > 0 || block.end.length > 0)) {
        for (const item of options.input) {
          scope.set('_', item)
          await runStatements(block.body, inner)
        }
      } else {
        if (options.input) scope.set('input', [...options.input])
        await runStatements(block.body, inner)
      }
      await runStatements(block.end, inner)
    } catch (error) {
      if (!(error instanceof ReturnSignal)) throw error
    }
  }

  async runText(text: string, frame: Frame): Promise<void> {
    await this.run(this.blockOf(text), [], frame, { sameScope: true })
  }

  another(): PowerShell {
    return new Runspace(this.call, this.#style, this.#reader, this.#errorsOut)
  }

  async show(value: Value): Promise<void> {
    await this.call.io.stdout.write(
      encode(formatValues([value], this), this.call.console.codePage),
      this.call.process.signal,
    )
  }

  readonly showError = async (record: NetObject): Promise<void> => {
    await this.writeErrors([['Error', errorText(record)]])
  }

  /** Writes to standard error: text, or the CLIXML that a PowerShell on the other side would read. */
  async writeErrors(texts: readonly (readonly [stream: string, text: string])[]): Promise<void> {
    const { io, console, process } = this.call
    if (!this.#style.clixml) {
      await io.stderr.write(encode(texts.map(([, text]) => text).join(''), console.codePage), process.signal)
      return
    }
    const head = this.#errorsOut.started ? '' : '#< CLIXML\r\n'
    this.#errorsOut.started = true
    const lines = texts.flatMap(([stream, text]) =>
      text.split(/(?<=\r\n)/).map(line => `<S S="${stream}">${clixml(line)}</S>`),
    )
    await io.stderr.write(
      Buffer.from(
        `${head}<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">${lines.join('')}</Objs>`,
      ),
      process.signal,
    )
  }

  /** The progress record of a module that is loaded for the first time. */
  async writeProgress(activity: string): Promise<void> {
    if (!this.#style.clixml || this.global.get('ProgressPreference') === 'SilentlyContinue') return
    const head = this.#errorsOut.started ? '' : '#< CLIXML\r\n'
    this.#errorsOut.started = true
    const record = (status: string): string =>
      `<Obj S="progress" RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCustomObject</T><T>System.Object</T></TN><MS><I64 N="SourceId">1</I64><PR N="Record"><AV>${clixml(activity)}</AV><AI>0</AI><Nil /><PI>-1</PI><PC>-1</PC><T>${status}</T><SR>-1</SR><SD> </SD></PR></MS></Obj>`
    await this.call.io.stderr.write(
      Buffer.from(
        `${head}<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">${record('Completed')}</Objs>`,
      ),
      this.call.process.signal,
    )
  }

  offsetMinutes(ms: number): number {
    return this.call.system.zone.offsetMinutes(ms)
  }

  member(target: Value, name: string, frame: Frame): Value {
    return memberOf(target, name, frame)
  }

  invoke(target: Value, name: string, args: readonly Value[], frame: Frame): Promise<Value> {
    return invokeMember(target, name, args, frame)
  }

  staticMember(type: string, name: string, frame: Frame): Value | undefined {
    return staticMember(type, name, frame)
  }

  staticMethod(type: string, name: string, args: readonly Value[], frame: Frame): Promise<Value | undefined> {
    return staticMethod(type, name, args, frame)
  }

  newObject(type: string, args: readonly Value[], frame: Frame): Value {
    return makeObject(type, args, frame)
  }

  setStatic(type: string, name: string, value: Value, frame: Frame): boolean {
    return type.toLowerCase() === 'system.console' && setConsole(name, value, frame)
  }

  async readLine(): Promise<Value> {
    const line = await this.call.process.whileAlive(this.#reader.next(this.call.process.signal))
    return line === undefined ? null : decode(line, this.call.console.codePage)
  }

  async readRest(): Promise<Value> {
    return decode(
      await this.call.process.whileAlive(this.#reader.rest(this.call.process.signal)),
      this.call.console.codePage,
    )
  }
}

function place(text: string, at: number): { line: number; column: number; near: string } {
  const before = text.slice(0, at).split('\n')
  const line = before.length
  return {
    line,
    column: (before.at(-1)?.length ?? 0) + 1,
    near: (text.split('\n')[line - 1] ?? '').trimEnd(),
  }
}

function clixml(text: string): string {
  return text
    .replace(/[\x00-\x1f]/g, it => `_x${it.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
}

/** An error that ended a script, for the host. */
export function recordOf(error: unknown): NetObject {
  return error instanceof PsError
    ? error.record
    : errorRecord({ message: error instanceof Error ? error.message : String(error) })
}
