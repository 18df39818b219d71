import type { Bytes } from '../files/bytes.js'
import { fromBuffer, toBuffer } from '../files/bytes.js'
import { SystemError } from '../files/errno.js'
import { Pipe } from '../files/pipe.js'
import { absolute } from '../files/tree.js'
import { type ExitStatus, Killed, type Process } from '../system/process.js'
import { runToEnd, statusCode } from '../system/run-to-end.js'
import type { SignalName } from '../system/signals.js'
import type { ShellFlavour, System } from '../system/system.js'
import { type FunctionNode, isSimple, parseScript, type ScriptNode, ShellSyntaxError } from './ast.js'
import { Exit, LoopJump, Return, ShellError } from './control.js'
import type { Engine } from './engine.js'
import { expandGlob } from './glob.js'
import type { RedirectionHost } from './redirect.js'
import { specialParameter } from './special-parameters.js'
import { Traps } from './traps.js'
import { Variables } from './variables.js'

/** The single-letter options that `set` knows. */
export type OptionLetter = 'a' | 'C' | 'e' | 'f' | 'n' | 'u' | 'v' | 'x'

/** One running shell of the emulated guest, or a subshell of one. */
export class Shell implements RedirectionHost {
  readonly system: System
  readonly process: Process
  readonly engine: Engine
  readonly flavour: ShellFlavour
  variables = new Variables()
  /** Shared with subshells: replaced, never changed. */
  functions: ReadonlyMap<Bytes, FunctionNode> = new Map()
  readonly options = new Set<OptionLetter>()
  readonly traps = new Traps()
  /** Children in the background that `wait` may still ask for. */
  readonly jobs = new Map<number, Promise<ExitStatus>>()
  positional: readonly Bytes[] = []
  /** `$0` */
  name: Bytes
  pipefail = false
  status = 0
  lastBackground: number | undefined
  /** The id of the shell itself, which subshells keep showing as `$$`. */
  readonly shellPid: number
  /** The status of the last command substitution in the words of the current command. */
  substitutionStatus: number | undefined
  /** Above 0 where a failing command is being tested, so that `set -e` does not end the shell. */
  tested = 0
  functionDepth = 0
  /** True where the next command is all that this process still has to do: then it becomes the program itself. */
  mayBecome = false
  /** How many characters of `$1` `getopts` has read, in an option of several letters. */
  optionOffset = 0

  constructor(
    system: System,
    process: Process,
    engine: Engine,
    flavour: ShellFlavour,
    name: Bytes,
    shellPid = process.pid,
  ) {
    this.system = system
    this.process = process
    this.engine = engine
    this.flavour = flavour
    this.name = name
    this.shellPid = shellPid
    process.onSignal = signal => this.traps.meet(signal)
  }

  get noUnset(): boolean {
    return this.options.has('u')
  }

  get noGlob(): boolean {
    return this.options.has('f')
  }

  get noClobber(): boolean {
    return this.options.has('C')
  }

  /** Takes over the environment that the process was started with. */
  importEnvironment(env: ReadonlyMap<Bytes, Bytes>): void {
    for (const [name, value] of env) {
      if (!/^[A-Za-z_]\w*$/.test(name)) continue
      this.variables.set(name, value)
      this.variables.mark(name, 'exported')
    }
    if (this.variables.get('PATH') === undefined) {
      this.variables.set('PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
    }
    this.variables.set('IFS', ' \t\n')
    this.variables.set('PWD', this.process.cwd)
    this.variables.mark('PWD', 'exported')
    this.variables.set('PPID', String(this.process.ppid))
    this.variables.set('OPTIND', '1')
  }

  /** Runs a whole script and whatever `trap … EXIT` asks for. Resolves to the exit code. */
  async main(text: Bytes): Promise<number> {
    let status: number
    try {
      const { statements } = await this.parse(text)
      this.mayBecome = statements.length === 1 && isSimple(statements[0])
      await this.engine.runStatements(this, statements)
      await this.runPendingTraps()
      status = this.status
    } catch (error) {
      if (error instanceof Exit && !error.runTrap) return error.status
      status = await this.settle(error)
    }
    return this.runExitTrap(status)
  }

  /** Runs the EXIT trap, if there is one; it may change the status by exiting itself. */
  async runExitTrap(status: number): Promise<number> {
    const trap = this.traps.get('EXIT')
    if (trap === undefined || trap === '') return status
    this.traps.delete('EXIT')
    this.status = status
    try {
      await this.engine.runStatements(this, (await this.parse(trap)).statements)
    } catch (error) {
      return await this.settle(error)
    }
    return status
  }

  /** What a thrown thing means for the exit code of this shell. */
  async settle(error: unknown): Promise<number> {
    if (error instanceof Exit || error instanceof Return) return error.status
    if (error instanceof LoopJump) return this.status
    if (error instanceof ShellSyntaxError) {
      await this.complain(`${error.line}: Syntax error: ${error.message}`)
      return 2
    }
    if (error instanceof ShellError) {
      await this.complain(error.message)
      return error.status
    }
    throw error
  }

  async parse(text: Bytes): Promise<ScriptNode> {
    return parseScript(text)
  }

  /** Prints an error as this shell does. */
  async complain(message: string): Promise<void> {
    await this.write(2, `${this.complaintPrefix}${message}\n`)
  }

  /** What stands before the shell's own messages. */
  get complaintPrefix(): string {
    const line = this.variables.get('LINENO') ?? '1'
    return this.flavour === 'dash' ? `${this.name}: ${line}: ` : `${this.name}: line ${line}: `
  }

  /** Writes to one of the shell's own descriptors; errors that nobody can be told of are dropped. */
  async write(fd: number, text: Bytes): Promise<void> {
    const file = this.process.files.get(fd)
    if (!file) throw new SystemError('EBADF', String(fd), 'write')
    try {
      await file.write(toBuffer(text), this.process.signal)
    } catch (error) {
      if (error instanceof SystemError && error.code === 'EPIPE') {
        this.process.deliver('PIPE')
        if (this.process.signal.aborted) throw this.process.signal.reason
      }
      if (fd !== 2 || error instanceof Killed) throw error
    }
  }

  special(name: string): Bytes | undefined {
    return specialParameter(this, name)
  }

  home(user: string): Bytes | undefined {
    if (user === '') return this.variables.get('HOME') ?? this.#account(this.process.uid)?.home
    return this.system.accounts.find(account => account.name === user)?.home
  }

  #account(uid: number): System['accounts'][number] | undefined {
    return this.system.accounts.find(account => account.uid === uid)
  }

  glob(pattern: Bytes): Bytes[] {
    return expandGlob(this.system.tree, this.process, this.process.cwd, pattern)
  }

  async substitute(script: ScriptNode): Promise<Bytes> {
    const pipe = new Pipe()
    const reader = pipe.reader()
    const child = this.fork()
    child.process.files.set(1, pipe.writer())
    child.mayBecome = script.statements.length === 1 && isSimple(script.statements[0])
    const ended = child.runAsChild(shell => this.engine.runStatements(shell, script.statements))
    const chunks: Buffer[] = []
    try {
      for (;;) {
        const chunk = await reader.read(65_536, this.process.signal)
        if (chunk.length === 0) break
        chunks.push(chunk)
      }
    } finally {
      reader.release()
    }
    this.substitutionStatus = statusCode(await this.process.whileAlive(ended))
    return fromBuffer(Buffer.concat(chunks)).replace(/\x00/g, '').replace(/\n+$/, '')
  }

  /** A copy of this shell in a process of its own, as a subshell is. */
  fork(): Shell {
    const { process } = this
    const child = this.system.processes.spawn({
      parent: process,
      argv: process.argv,
      files: process.files.fork(),
    })
    child.environ = process.environ
    const shell = new Shell(this.system, child, this.engine, this.flavour, this.name, this.shellPid)
    shell.variables = this.variables.fork()
    shell.functions = this.functions
    for (const option of this.options) shell.options.add(option)
    this.traps.inherit(shell.traps)
    shell.positional = this.positional
    shell.pipefail = this.pipefail
    shell.status = this.status
    shell.lastBackground = this.lastBackground
    shell.tested = this.tested
    shell.functionDepth = this.functionDepth
    return shell
  }

  /** Runs something as this subshell's whole life, and ends its process. */
  async runAsChild(body: (shell: Shell) => Promise<void>): Promise<ExitStatus> {
    return runToEnd(this.process, async () => {
      let status: number
      try {
        await body(this)
        await this.runPendingTraps()
        status = this.status
      } catch (error) {
        if (error instanceof Exit && !error.runTrap) return error.status
        status = await this.settle(error)
      }
      return this.runExitTrap(status)
    })
  }

  /** Runs the traps of the signals that came. */
  async runPendingTraps(): Promise<void> {
    await this.traps.runPending(async trap => {
      const { status } = this
      await this.engine.runStatements(this, (await this.parse(trap)).statements)
      this.status = status
    })
  }

  /** Waits, but no longer than until a signal with a trap comes; then gives that signal. */
  waitOrTrap<T>(work: Promise<T>): Promise<T | { readonly trapped: SignalName }> {
    return this.process.whileAlive(this.traps.orCaught(work))
  }

  /** Changes the directory, keeping `PWD` and `OLDPWD`. */
  changeDirectory(path: Bytes): void {
    const node = this.system.tree.need(path, this.process)
    if (node.type !== 'directory') throw new SystemError('ENOTDIR', path, 'chdir')
    if (!this.system.tree.allows(node, this.process, 'x')) throw new SystemError('EACCES', path, 'chdir')
    this.variables.set('OLDPWD', this.variables.get('PWD') ?? this.process.cwd)
    this.process.cwd = path
    this.variables.set('PWD', path)
  }

  /** Reads a file of the guest, as `.` does. */
  readScript(path: Bytes): Bytes {
    return this.system.tree.read(absolute(this.process.cwd, path), this.process)
  }
}
