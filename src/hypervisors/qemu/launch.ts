import { appendFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InfraError } from '../../config/errors.js'
import { identityOf, type ProcessIdentity } from '../../config/process-identity.js'
import { bounded, type HostLimits } from '../limit.js'
import { exchange } from '../shared/exchanges.js'
import { qemuArguments, type StartRequest } from './arguments.js'
import { ownWords, type QemuProcess, startProcess } from './process.js'
import { QmpClient } from './qmp.js'

export const program = 'qemu-system-x86_64'

/** A QEMU that runs and speaks to us. */
export interface Launched {
  readonly process: QemuProcess
  readonly qmp: QmpClient
  readonly version: string
  readonly identity: ProcessIdentity
  /** The loopback port that leads to the guest's port 22. */
  readonly port: number
}

export type LaunchRequest = Omit<StartRequest, 'qmpSocket' | 'pidFile'> & {
  readonly folder: string
  readonly logFile: string
}

/**
 * Starts QEMU. It connects to a socket of ours, in a folder that only we can enter and that is gone once it
 * has: there is no waiting for a socket to appear, and nobody else gets to its monitor.
 */
export async function launch(
  request: LaunchRequest,
  limits: HostLimits,
  signal: AbortSignal,
): Promise<Launched> {
  const where = request.name
  const socketFolder = await mkdtemp(join(tmpdir(), 'guestcert-'))
  const qmpSocket = join(socketFolder, 'qmp')
  const pidFile = join(request.folder, 'qemu.pid')
  const server = createServer()
  try {
    const connected = new Promise<Socket>(resolve => {
      server.once('connection', resolve)
    })
    await listen(server, qmpSocket)
    const args = qemuArguments({ ...request, qmpSocket, pidFile })
    appendFileSync(request.logFile, `${ownWords}${program} ${args.join(' ')}\n`)
    const process = await exchange(
      () => [program, ...args].join(' '),
      () => startProcess(program, args, request.folder, request.logFile),
      {
        refused: why => {
          throw new InfraError(`${where}: ${program}: ${why}`, { cause: 'host', where, code: 'driver' })
        },
        show: () => ({ status: 'started', answer: '' }),
      },
    )
    try {
      const failed = process.ended.then((how): never => {
        throw new InfraError(`${where}: ${program} did not start: ${how}`, {
          cause: 'host',
          where,
          code: 'driver',
        })
      })
      const socket = await bounded(Promise.race([connected, failed]), where, 'QEMU', limits.start, signal)
      const { client: qmp, version } = await QmpClient.open(socket, where, limits.start, signal)
      const identity = identityOf(Number((await readFile(pidFile, 'utf8')).trim()))
      return { process, qmp, version, identity, port: await forwardedPort(qmp, where, limits, signal) }
    } catch (error) {
      process.kill()
      throw error
    }
  } finally {
    server.close()
    await rm(socketFolder, { recursive: true, force: true })
  }
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
}

/** The port that the kernel chose for QEMU: nobody can have taken it in between. */
async function forwardedPort(
  qmp: QmpClient,
  where: string,
  limits: HostLimits,
  signal: AbortSignal,
): Promise<number> {
  const command = { 'command-line': 'info usernet' }
  const answer = await qmp.execute('human-monitor-command', command, limits.command, signal)
  const port = parseUsernet(String(answer))
  if (port === null) {
    const message = `${where}: QEMU does not say which port leads to the guest: ${String(answer)}`
    throw new InfraError(message, { cause: 'host', where, code: 'driver' })
  }
  return port
}

/** Reads the loopback port out of the monitor's table of user-mode connections. */
export function parseUsernet(table: string): number | null {
  const match = /^\s*TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+22\b/m.exec(table)
  const port = Number(match?.[1])
  return Number.isInteger(port) && port > 0 ? port : null
}
