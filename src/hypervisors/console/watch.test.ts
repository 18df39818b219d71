import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import t from 'tap'
import type { InfraError } from '../../config/errors.js'
import { followFile } from './file.js'
import { watchConsole } from './watch.js'

const never = new AbortController().signal
const rarelyMs = 3_600_000
const oftenMs = 10
const limitMs = 20_000

t.test('a crash in a file that grows is told to all who listen, and to those who come later', async t => {
  const file = join(t.testdir(), 'console.log')
  const console = watchConsole({ where: 'gc-1', read: followFile(file), everyMs: rarelyMs })
  t.teardown(() => console.close())
  const seen: InfraError[] = []
  console.onCrash(error => seen.push(error))
  await t.rejects(console.look(never), 'a file that is not there yet')
  await writeFile(file, 'Linux version 6.1\n[ 1.0] Kernel pan')
  await console.look(never)
  t.same(seen, [])
  await appendFile(file, 'ic - not syncing: dead\n[ 1.1] Rebooting')
  await console.look(never)
  t.match(seen, [
    {
      message: 'gc-1: kernel panic on the console: [ 1.0] Kernel panic - not syncing: dead',
      context: { cause: 'guest', code: 'lost', where: 'gc-1' },
    },
  ])
  await console.look(never)
  t.equal(seen.length, 1, 'nothing is read twice')
  const late: InfraError[] = []
  console.onCrash(error => late.push(error))
  t.same(late, seen)
})

t.test('it is read by itself, again and again, also after a reading failed', async t => {
  const file = join(t.testdir(), 'console.log')
  const console = watchConsole({ where: 'gc-1', read: followFile(file), everyMs: oftenMs })
  t.teardown(() => console.close())
  const seen: InfraError[] = []
  console.onCrash(error => seen.push(error))
  await writeFile(file, 'Oops: 0000 [#1] SMP')
  for await (const _ of setInterval(oftenMs, null, { signal: AbortSignal.timeout(limitMs) })) {
    if (seen.length > 0) {
      break
    }
  }
  t.match(seen[0], { message: /kernel oops on the console: Oops: 0000 \[#1\] SMP/ })
})

t.test('what the host knows of a crash is told only when the console does not tell it', async t => {
  const file = join(t.testdir(), 'console.log')
  await writeFile(file, 'Kernel panic - not syncing: dead\n')
  const seen: string[] = []
  const talking = watchConsole({ where: 'gc-1', read: followFile(file), everyMs: rarelyMs })
  talking.onCrash(({ message }) => seen.push(message))
  await talking.tell('the guest panicked')
  t.same(seen, ['gc-1: kernel panic on the console: Kernel panic - not syncing: dead'])
  await writeFile(file, '')
  const silent = watchConsole({ where: 'gc-2', read: followFile(file), everyMs: rarelyMs })
  silent.onCrash(({ message }) => seen.push(message))
  await silent.tell('the guest panicked')
  t.equal(seen[1], 'gc-2: the guest panicked')
  talking.close()
  silent.close()
  await silent.tell('the guest panicked again')
  t.equal(seen.length, 2, 'not after it was closed')
})
