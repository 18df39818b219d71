import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { guestcertProcess } from '../../test/cli-process.js'
import { packageVersion } from '../config/package-root.js'

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function run(argv: readonly string[], closeEarly = false): Promise<Ended> {
  const [file, ...args] = guestcertProcess
  const child = spawn(file, [...args, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stderr.on('data', chunk => {
    stderr += String(chunk)
  })
  if (closeEarly) child.stdout.destroy()
  else {
    child.stdout.on('data', chunk => {
      stdout += String(chunk)
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

t.test('the program prints its version', async t => {
  t.same(await run(['--version']), { code: 0, stdout: `guestcert ${packageVersion()}\n`, stderr: '' })
})

t.test('all that a command prints arrives, and its code is the exit code', async t => {
  const { code, stdout } = await run(['schema', 'lab'])
  t.equal(code, 0)
  t.equal(JSON.parse(stdout).type, 'object')
  t.equal((await run(['frobnicate'])).code, 2)
})

t.test('a reader that goes away early is not an error', async t => {
  t.same(await run(['schema', 'lab'], true), { code: 0, stdout: '', stderr: '' })
})
