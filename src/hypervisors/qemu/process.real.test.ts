import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import t from 'tap'
import { identityOf, isAlive, type ProcessIdentity } from '../../config/process-identity.js'
import { startProcess } from './process.js'

const limitMs = 20_000
/** Whoever were to be killed with its runner would be by then. */
const keptMs = 500
/** Stands in for QEMU: says who it is and lives on. */
const program = ['-c', 'echo $$ >pid; echo started >&2; exec sleep 600'] as const

if (process.env.TEST_RUNNER_FOLDER !== undefined) {
  await beRunner(process.env.TEST_RUNNER_FOLDER, process.env.TEST_RUNNER_KEEPS === 'yes')
} else {
  tests()
}

/** A runner that starts one and then has nothing to do until it is killed. */
async function beRunner(folder: string, keeps: boolean): Promise<void> {
  const child = await startProcess('sh', program, folder, join(folder, 'log'))
  if (keeps) {
    child.keep()
  }
  process.stdout.write('started\n')
  const forever = globalThis.setInterval(() => {}, 1000)
  await child.ended
  clearInterval(forever)
}

async function started(folder: string): Promise<ProcessIdentity> {
  const signal = AbortSignal.timeout(limitMs)
  for await (const _ of setInterval(20, null, { signal })) {
    const pid = Number(await readFile(join(folder, 'pid'), 'utf8').catch(() => ''))
    if (pid > 0) {
      return identityOf(pid)
    }
  }
  throw new Error('it did not start')
}

/** True when the process ends within the limit. */
async function dies(identity: ProcessIdentity, withinMs: number = limitMs): Promise<boolean> {
  try {
    for await (const _ of setInterval(20, null, { signal: AbortSignal.timeout(withinMs) })) {
      if (!isAlive(identity)) {
        return true
      }
    }
  } catch {
    // The limit was reached.
  }
  return false
}

/** Starts a runner and kills it as nothing can be caught; gives what it had started. */
async function killRunner(folder: string, keeps: 'yes' | 'no'): Promise<ProcessIdentity> {
  const runner = execa(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url)], {
    reject: false,
    env: { TEST_RUNNER_FOLDER: folder, TEST_RUNNER_KEEPS: keeps },
  })
  await once(runner.stdout, 'data')
  const identity = await started(folder)
  runner.kill('SIGKILL')
  await runner
  return identity
}

function tests(): void {
  t.test('it dies with a runner that is killed', async t => {
    t.ok(await dies(await killRunner(t.testdir(), 'no')))
  })

  t.test('it outlives a runner that was told to keep it', async t => {
    const identity = await killRunner(t.testdir(), 'yes')
    t.teardown(() => process.kill(identity.pid, 'SIGKILL'))
    t.notOk(await dies(identity, keptMs))
  })

  t.test('it dies with the shell above it', async t => {
    const folder = t.testdir()
    const child = await startProcess('sh', program, folder, join(folder, 'log'))
    const identity = await started(folder)
    const stat = await readFile(`/proc/${identity.pid}/stat`, 'utf8')
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    process.kill(parent, 'SIGKILL')
    t.ok(await dies(identity))
    t.match(await child.ended, /^SIGKILL/)
  })

  t.test('it is killed when asked, with all that belongs to it', async t => {
    const folder = t.testdir()
    const child = await startProcess('sh', program, folder, join(folder, 'log'))
    const identity = await started(folder)
    t.notOk(child.hasEnded())
    child.kill()
    t.match(await child.ended, /^SIGKILL: started$/)
    t.ok(await dies(identity))
    t.ok(child.hasEnded())
    child.kill()
  })

  t.test('how it ended, and what it said', async t => {
    const folder = t.testdir()
    const end = async (script: string): Promise<string> => {
      const child = await startProcess('sh', ['-c', script], folder, join(folder, script.slice(0, 6)))
      return child.ended
    }
    t.match(await end('echo no such machine >&2; exit 7'), /^status 7: no such machine$/)
    t.match(await end('kill -9 $$'), /^status 137: /)
    t.match(
      await (await startProcess('no-such-program', [], folder, join(folder, 'none'))).ended,
      /^status 127: .*no-such-program/,
    )
  })
}
