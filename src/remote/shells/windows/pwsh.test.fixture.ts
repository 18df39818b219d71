import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { CommandResult, Output, RunOptions } from '../../machine.js'

/** As our commands start powershell.exe. */
const options = '-NoLogo -NoProfile -NonInteractive -InputFormat None -OutputFormat Text -EncodedCommand'

const folders = [...(process.env.PATH ?? '').split(delimiter), join(homedir(), '.dotnet/tools')]
/** The real PowerShell; `null` where there is none. */
export const pwsh: string | null = folders.map(folder => join(folder, 'pwsh')).find(existsSync) ?? null

/** Its version, for a test's name. */
export function pwshVersion(): string {
  return pwsh === null ? 'absent' : execFileSync(pwsh, ['-Version'], { encoding: 'utf8' }).trim()
}

/** Why tests with it are skipped; false where they are not. In CI a skipped test counts as a failed one. */
export const withoutPwsh: string | false =
  pwsh === null ? 'needs pwsh: dotnet tool install --global PowerShell --version 7.6.9' : false

/** Starts it, in a process group of its own. Windows PowerShell prints no colours. */
export function startPwsh(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(pwsh ?? 'pwsh', args, { env: { ...process.env, NO_COLOR: '1', ...env }, detached: true })
}

/** Kills it: what a .NET tool is started by is not the program itself, which would go on. */
export function killPwsh({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** Runs it to its end. */
export async function runPwsh(
  args: readonly string[],
  { stdin, env }: { readonly stdin?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<CommandResult> {
  const child = startPwsh(args, env)
  child.stdin?.on('error', () => {})
  child.stdin?.end(stdin ?? '')
  return ended(child, () => {})
}

/** Runs a command of ours as a Windows guest would, with modules that play what only Windows has. */
export function pwshRunner(
  modules: string,
  started: (child: ChildProcess) => void = () => {},
): (command: string, options: RunOptions) => Promise<CommandResult> {
  return (command, { stdin, onStdout, signal }) => {
    const encoded = command.split(' ').at(-1) ?? ''
    const child = startPwsh([...options.split(' '), encoded], { PSModulePath: modules })
    started(child)
    signal?.addEventListener('abort', () => killPwsh(child), { once: true })
    child.stdin?.on('error', () => {})
    if (stdin !== undefined && !Buffer.isBuffer(stdin)) {
      stdin.pipe(child.stdin ?? process.stdout)
    } else {
      child.stdin?.end(stdin ?? '')
    }
    return ended(child, chunk => void onStdout?.(chunk))
  }
}

/** The arguments with which a text is run. */
export function encodedArgs(encoded: string): string[] {
  return [...options.split(' '), encoded]
}

function ended(child: ChildProcess, onStdout: (chunk: Buffer) => void): Promise<CommandResult> {
  const startedAt = performance.now()
  const [out, err]: [Buffer[], Buffer[]] = [[], []]
  child.stdout?.on('data', (chunk: Buffer) => {
    out.push(chunk)
    onStdout(chunk)
  })
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) =>
      resolve({
        exit: code === null ? { kind: 'signal', signal: signal ?? 'unknown' } : { kind: 'code', code },
        stdout: output(out),
        stderr: output(err),
        durationMs: performance.now() - startedAt,
        undrained: false,
      }),
    )
  })
}

function output(chunks: readonly Buffer[]): Output {
  const bytes = Buffer.concat(chunks)
  return { text: bytes.toString('utf8'), bytes, totalBytes: bytes.length, truncated: false }
}
