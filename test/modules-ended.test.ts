import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { guestcertProcess } from './cli-process.js'

const lab = `lab: ended
defaults: { limits: { boot: 60s } }
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  one: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } } }
suites: [./suite]
`
const suite = {
  'suite.yaml': `suite: ended\nversion: 1.0.0\ntitle: Ended\ntests:\n  - { id: loops, title: Loops, requirements: [X-1], level: required, module: loops.ts, limit: 1h }\n`,
  'loops.ts': `import { writeFileSync } from 'node:fs'\nimport { spawn } from 'node:child_process'\nimport { test } from 'guestcert/api'
export default test(async ({ expect }) => {
  expect(1).toBe(1, 'one')
  const { pid } = spawn('sleep', ['3600'], { stdio: 'ignore' })
  writeFileSync(new URL('./pids', import.meta.url), process.pid + ' ' + pid + '\\n')
  for (;;) {}
})\n`,
}

/** Starts a run whose module loops; resolves with the module's process and the program that it has started. */
async function looping(folder: string): Promise<{ runner: ChildProcess; pids: readonly number[] }> {
  const [program, ...args] = guestcertProcess
  const runner = spawn(program, [...args, 'run', 'lab.yaml', '-o', 'reports', '--reporter', 'plain'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  for (;;) {
    const text = await readFile(join(folder, 'suite/pids'), 'utf8').catch(() => '')
    if (text.endsWith('\n')) return { runner, pids: text.trim().split(' ').map(Number) }
    if (runner.exitCode !== null) throw new Error(`it ended with ${runner.exitCode}`)
    await wait(50)
  }
}

/** Resolves when none of them is there any more. */
async function gone(pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    while (await isAlive(pid)) await wait(50)
  }
}

async function isAlive(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  return state !== null && !/\) Z /.test(state)
}

t.test('a runner that is killed leaves no process of a module, nor what it has started', async t => {
  const { runner, pids } = await looping(t.testdir({ 'lab.yaml': lab, suite }))
  runner.kill('SIGKILL')
  await once(runner, 'exit')
  await gone(pids)
  t.pass('they are gone')
})

t.test('two interrupts end a run whose module loops', async t => {
  const folder = t.testdir({ 'lab.yaml': lab, suite })
  const { runner, pids } = await looping(folder)
  let said = ''
  runner.stderr?.on('data', chunk => {
    said += String(chunk)
  })
  const exited = once(runner, 'exit')
  runner.kill('SIGINT')
  while (said === '') await wait(50)
  // Interrupts that come at once are taken for one.
  await wait(600)
  runner.kill('SIGINT')
  const [code] = await exited
  t.equal(code, 130)
  await gone(pids)
  const runs = await readdir(join(folder, 'reports'))
  const latest = await readlink(join(folder, 'reports/latest'))
  t.ok(runs.includes(latest))
  const summary = await readFile(join(folder, 'reports/latest/summary.json'), 'utf8')
  t.match(summary, /"test": "ended\/loops",\s+"level": "required",\s+"verdict": "(?:error|not-run)"/)
})
