import { execa } from 'execa'
import type { Machine } from '../../remote/index.js'

/** This machine's own shell as a host, with programs of the test's before all others. */
export function localMachine(programs: string, home: string): Machine {
  return {
    label: 'here',
    hostKey: 'SHA256:none',
    lost: new AbortController().signal,
    channels: 8,
    run: async (command, { stdin, limitMs = 10_000, limitName = 'command', onStdout } = {}) => {
      const startedAt = performance.now()
      const result = await execa('/bin/sh', ['-c', command], {
        reject: false,
        timeout: limitMs,
        encoding: 'buffer',
        stripFinalNewline: false,
        env: { LC_ALL: 'C', HOME: home, PATH: `${programs}:/usr/bin:/bin` },
        ...(Buffer.isBuffer(stdin) ? { input: stdin } : { stdin: 'ignore' }),
      })
      const output = (bytes: Uint8Array) => {
        const buffer = Buffer.from(bytes)
        return { text: buffer.toString(), bytes: buffer, totalBytes: buffer.length, truncated: false }
      }
      await onStdout?.(Buffer.from(result.stdout))
      return {
        exit:
          result.exitCode === undefined
            ? { kind: 'limit', limit: limitName, limitMs }
            : { kind: 'code', code: result.exitCode },
        stdout: output(result.stdout),
        stderr: output(result.stderr),
        durationMs: performance.now() - startedAt,
        undrained: false,
      }
    },
    forward: () => Promise.reject(new Error('no forwarding here')),
    close: async () => {},
  }
}

/** A machine whose commands are counted, and one of which may fail. */
export interface CountedMachine {
  readonly machine: Machine
  /** Every command that it was given. */
  readonly commands: string[]
  /** Calls with the number of each command from now on. */
  onCommand(listener: (number: number) => void): void
  /** Lets the n-th command from now on fail without being carried out; none for 0. */
  refuse(number: number): void
}

export function countedMachine(machine: Machine): CountedMachine {
  const commands: string[] = []
  let listener = (_: number): void => {}
  let [heard, toRefuse] = [0, 0]
  return {
    commands,
    onCommand: told => {
      heard = 0
      listener = told
    },
    refuse: number => {
      toRefuse = number
    },
    machine: {
      ...machine,
      run: async (command, options) => {
        commands.push(command)
        heard += 1
        listener(heard)
        toRefuse -= 1
        return machine.run(toRefuse === 0 ? 'echo "refused by the test" >&2; exit 99' : command, options)
      },
    },
  }
}
