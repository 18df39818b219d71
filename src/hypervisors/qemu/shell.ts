import type { HostShell } from '../../remote/index.js'
import { programStarter, toolPath } from '../shared/tool.js'

/** A shell on this machine, as other hosts have one over SSH. */
export function localShell(label: string): HostShell {
  return {
    label,
    run: async (command, { signal, limitMs, limitName }) => {
      const start = await programStarter()
      const result = await start('/bin/sh', ['-c', command], {
        reject: false,
        stdin: 'ignore',
        stripFinalNewline: false,
        timeout: limitMs,
        cancelSignal: signal,
        env: { PATH: toolPath() },
      })
      const { exitCode, timedOut, isCanceled, stdout, stderr } = result
      return {
        exit: timedOut
          ? { kind: 'limit', limit: limitName, limitMs }
          : exitCode === undefined || isCanceled
            ? { kind: 'lost' }
            : { kind: 'code', code: exitCode },
        stdout: { text: stdout },
        stderr: { text: stderr },
      }
    },
  }
}
