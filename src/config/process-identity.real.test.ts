/** Needs python3, which can end the first thread of a process alone. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { identityOf, isAlive } from './process-identity.js'

/** Its first thread ends at once by exit(2), which is 60 on x86-64; another one goes on. */
const program = [
  'import ctypes, threading, time',
  'threading.Thread(target=time.sleep, args=(600,)).start()',
  'print("started", flush=True)',
  'ctypes.CDLL(None).syscall(60, 0)',
].join('\n')

t.test('a process lives for as long as one of its threads does', async t => {
  const child = spawn('python3', ['-c', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const pid = child.pid ?? 0
  const identity = identityOf(pid)
  const state = (): string => /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? ''
  while (state() !== 'Z') await wait(5)
  t.ok(isAlive(identity), 'its first thread is a zombie, and it holds its files')
  child.kill('SIGKILL')
  await closed
  t.notOk(isAlive(identity))
})
