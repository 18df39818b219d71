import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import t from 'tap'
import { withLock } from './lock.js'

const never = new AbortController().signal
const nobodyWaits = (): void => {}

if (process.env.TEST_LOCK !== undefined) {
  await withLock(process.env.TEST_LOCK, never, nobodyWaits, async () => {
    process.stdout.write('held\n')
    await new Promise(resolve => setInterval(resolve, 600_000))
  })
} else {
  tests()
}

function tests(): void {
  t.test('one at a time', async t => {
    const file = join(t.testdir(), 'lock')
    const seen: string[] = []
    const enter = (name: string): Promise<void> =>
      withLock(file, never, nobodyWaits, async () => {
        seen.push(`${name} in`)
        await new Promise(resolve => setImmediate(resolve))
        seen.push(`${name} out`)
      })
    await Promise.all([enter('a'), enter('b'), enter('c')])
    t.equal(seen.length, 6)
    for (let index = 0; index < seen.length; index += 2) {
      t.equal(seen[index + 1], seen[index]?.replace('in', 'out'))
    }
  })

  t.test('an error inside lets go, and comes out', async t => {
    const file = join(t.testdir(), 'lock')
    const failed = withLock(file, never, nobodyWaits, async () => {
      throw new Error('inside')
    })
    await t.rejects(failed, { message: 'inside' })
    t.equal(await withLock(file, never, nobodyWaits, async () => 'had'), 'had')
  })

  t.test('whoever waits is told, and may give up; a killed holder holds nothing', async t => {
    const file = join(t.testdir(), 'lock')
    const holder = execa(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url)], {
      reject: false,
      env: { TEST_LOCK: file },
    })
    t.teardown(() => holder.kill('SIGKILL'))
    await once(holder.stdout, 'data')
    const impatient = new AbortController()
    const waiting = withLock(
      file,
      impatient.signal,
      () => impatient.abort(),
      async () => 'had',
    )
    await t.rejects(waiting, { name: 'InfraError', context: { code: 'cancelled' } })
    const patient = withLock(file, never, nobodyWaits, async () => 'had')
    holder.kill('SIGKILL')
    t.equal(await patient, 'had')
  })
}
