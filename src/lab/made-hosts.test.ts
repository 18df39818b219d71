import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadLab } from '../config/load.js'
import type { Host, Lab } from '../config/model.js'
import { driverSource } from '../hypervisors/registry.js'
import { bringHostUp, madeHostsOf, takeHostDown } from './made-hosts.js'
import { stateFolder } from './running.js'

const signal = new AbortController().signal

async function labWith(t: Pick<Test, 'testdir'>, address: string): Promise<{ lab: Lab; host: Host }> {
  const folder = t.testdir({
    'lab.yaml': `lab: one
hosts:
  xen-1:
    product: xen
    version: "4.17"
    driver: xl
    image: xen-dom0
    connect: { ssh: "root@${address}", key: image, hostKey: image }
guests:
  debian:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: root, key: image, hostKey: image }
    on: { xen-1: { vm: debian, clean: { copy: /a.raw }, configuration: { mode: pv } } }
suites: [builtin]
`,
  })
  const lab = await loadLab(join(folder, 'lab.yaml'), driverSource)
  const [host] = madeHostsOf(lab)
  if (host === undefined) {
    throw new Error('the lab has a host with an image')
  }
  return { lab, host }
}

t.test('a host with an image is refused anywhere but on loopback, before anything is built', async t => {
  const { lab, host } = await labWith(t, 'xen-1.lab.example:22')
  const options = { cacheFolder: join(t.testdirName, 'cache'), signal, onProgress: () => {} }
  await t.rejects(bringHostUp(lab, host, options), { name: 'UsageError', message: /root@127\.0\.0\.1:PORT/ })
})

t.test('only the process that was started is ended, not another with its id', async t => {
  const { lab, host } = await labWith(t, '127.0.0.1:1')
  const cache = join(t.testdirName, 'cache')
  t.equal(await takeHostDown(lab, host, cache), false, 'it was never up')
  const other = spawn('sleep', ['60'], { stdio: 'ignore' })
  t.teardown(() => other.kill())
  const folder = join(stateFolder(lab, cache), 'hosts', host.id)
  await mkdir(folder, { recursive: true })
  const state = { pid: other.pid, startTime: '1', image: '/none' }
  await writeFile(join(folder, 'running.json'), JSON.stringify(state))
  t.equal(await takeHostDown(lab, host, cache), false)
  t.equal(other.exitCode ?? other.signalCode, null, 'the other process lives')
})
