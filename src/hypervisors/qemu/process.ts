import { readFile } from 'node:fs/promises'
import { programStarter, tail, toolPath } from '../shared/tool.js'

/**
 * Runs QEMU below a shell that ends it when our end of the shell's standard input closes: however the runner
 * dies, its guests die too. The word `keep` on that input lets the guest live on without us. QEMU itself is
 * killed by the kernel should the shell be (setpriv's `--pdeathsig`).
 */
const supervisor = [
  'exec 3<&0 </dev/null >>"$1" 2>&1',
  'shift',
  'setpriv --pdeathsig KILL -- "$@" 3<&- &',
  'qemu=$!',
  '{ read -r word <&3; [ "$word" = keep ] || kill -KILL "$qemu"; } 2>/dev/null &',
  'watch=$!',
  'exec 3<&-',
  'wait "$qemu"',
  'status=$?',
  'kill "$watch" 2>/dev/null',
  'exit "$status"',
].join('\n')

/** How the lines begin that we write into QEMU's log ourselves. */
export const ownWords = '# '

/** A QEMU that was started. */
export interface QemuProcess {
  /** Resolves, with how it ended, when it has. Never rejects. */
  readonly ended: Promise<string>
  hasEnded(): boolean
  /** SIGKILL to all that was started; nothing else can have taken the group's id while its leader is ours. */
  kill(): void
  /** Lets it outlive the runner. */
  keep(): void
}

/** Starts QEMU in a session of its own, so that Ctrl-C reaches the runner alone. Its words go to `logFile`. */
export async function startProcess(
  program: string,
  args: readonly string[],
  folder: string,
  logFile: string,
): Promise<QemuProcess> {
  const start = await programStarter()
  const child = start('sh', ['-c', supervisor, 'sh', logFile, program, ...args], {
    reject: false,
    detached: true,
    cleanup: false,
    cwd: folder,
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'ignore',
    env: { LC_ALL: 'C.UTF-8', PATH: toolPath() },
  })
  // An input whose reader has died is noticed by the end of the process.
  child.stdin.on('error', () => {})
  let ended = false
  const how = child.then(async ({ exitCode, signal, shortMessage }) => {
    ended = true
    const status = exitCode === undefined ? (signal ?? shortMessage ?? 'unknown') : `status ${exitCode}`
    return `${status}: ${tail(await lastWords(logFile))}`
  })
  return {
    ended: how,
    hasEnded: () => ended,
    kill: () => {
      if (!ended && child.pid !== undefined) {
        killGroup(child.pid)
      }
    },
    keep: () => {
      child.stdin.end('keep\n')
      child.unref()
    },
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // It has just ended.
  }
}

/** What QEMU itself said. */
async function lastWords(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '')
  const lines = text.split('\n').filter(line => !line.startsWith(ownWords))
  return lines.join('\n')
}
