import { once } from 'node:events'
import type { ClientChannel } from 'ssh2'
import { InfraError } from '../config/errors.js'
import { type Machine, openTerminal } from '../remote/index.js'

/**
 * Connects this process's terminal to a machine's login shell until that ends; resolves to its exit status. What a
 * person types and sees there goes through as it is. Throws InfraError when the connection is lost before the end.
 */
export async function attachTerminal(machine: Machine): Promise<number> {
  const { stdin, stdout, stderr } = process
  const hasTerminal = stdin.isTTY === true && stdout.isTTY === true
  const window = (): { rows: number; cols: number } => ({
    rows: stdout.rows ?? 24,
    cols: stdout.columns ?? 80,
  })
  const channel = await openTerminal(
    machine,
    hasTerminal ? { ...window(), term: process.env.TERM ?? 'vt100' } : null,
  )
  const resize = (): void => channel.setWindow(window().rows, window().cols, 0, 0)
  try {
    if (hasTerminal) {
      stdin.setRawMode(true)
      stdout.on('resize', resize)
    }
    stdin.pipe(channel)
    channel.stdout.pipe(stdout, { end: false })
    channel.stderr.pipe(stderr, { end: false })
    return await statusOf(channel, machine)
  } finally {
    stdin.unpipe(channel)
    stdin.pause()
    stdout.off('resize', resize)
    if (hasTerminal) stdin.setRawMode(false)
  }
}

async function statusOf(channel: ClientChannel, { label }: Machine): Promise<number> {
  let status: number | null = null
  channel.on('exit', (code: number | null) => {
    status = code
  })
  await once(channel, 'close')
  if (status === null) {
    throw new InfraError(`${label}: the shell ended without an exit status`, {
      cause: 'network',
      where: label,
      code: 'lost',
    })
  }
  return status
}
