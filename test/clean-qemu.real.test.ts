/** A runner that is killed while its QEMU boots, and what `guestcert lab clean` makes of it. Needs QEMU. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import { execa } from 'execa'
import t from 'tap'
import { guestcertProcess } from './cli-process.js'

const [program, ...args] = guestcertProcess
const limitMs = 60_000
const lab = `lab: killed-qemu
defaults: { retries: 0, limits: { lease: 4s, leaseRenewal: 1s, leaseLook: 300ms } }
hosts: { here: { product: qemu, version: "7.2", driver: qemu } }
guests:
  empty:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: root, password: "env:NO_PASSWORD", hostKey: accept-new }
    on: { here: { image: ./empty.qcow2, configuration: { vcpus: 1, memory: 64MiB } } }
suites: [builtin]
`

t.test(
  'instance and lease of a killed runner go, those of a living one stay',
  { timeout: 170_000 },
  async t => {
    const folder = t.testdir({ 'lab.yaml': lab })
    const env = { ...process.env, GUESTCERT_CACHE: join(folder, 'cache'), NO_PASSWORD: 'none' }
    const options = { cwd: folder, env, reject: false } as const
    const instances = join(folder, 'cache/qemu/instances')
    const clean = async (...flags: string[]): Promise<string> => {
      const { stdout, stderr, exitCode } = await execa(
        program,
        [...args, 'lab', 'clean', 'lab.yaml', ...flags],
        options,
      )
      t.equal(exitCode, 0, stderr)
      return stdout
    }
    await execa('qemu-img', ['create', '-q', '-f', 'qcow2', 'empty.qcow2', '16M'], { cwd: folder })
    const runner = spawn(program, [...args, 'run', 'lab.yaml', '--as', 'alice'], {
      cwd: folder,
      env,
      stdio: 'ignore',
    })
    t.teardown(() => runner.kill('SIGKILL'))
    const startedAt = performance.now()
    for await (const _ of setInterval(50)) {
      const [name = ''] = await readdir(instances).catch(() => [])
      const files = await readdir(join(instances, name)).catch((): string[] => [])
      if (files.includes('qemu.pid') || performance.now() - startedAt > limitMs) {
        break
      }
    }
    t.equal((await readdir(instances)).length, 1)
    t.match(await clean(), /^0 removed, 0 left$/m, 'a living runner keeps its own')
    runner.kill('SIGKILL')
    await once(runner, 'close')
    // While its lease may still be renewed, a dead run keeps its instances: nothing is removed on a guess.
    const expired = performance.now()
    let would = ''
    for await (const _ of setInterval(200)) {
      would = await clean('--dry-run')
      if (/would remove lease on here: of alice/.test(would) || performance.now() - expired > limitMs) {
        break
      }
      t.match(would, /left gc-.*-e1-1 on here: .*belongs to a run that lives: alice/)
    }
    t.match(would, /would remove gc-.*-e1-1 on here: .*overlay and/)
    t.equal((await readdir(instances)).length, 1)
    const said = await clean()
    t.match(said, /removed gc-.*-e1-1 on here/)
    t.match(said, /removed lease on here: of alice/)
    t.same(await readdir(instances), [])
    t.match(await clean(), /^0 removed, 0 left$/m)
  },
)
