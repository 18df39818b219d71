import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { loadLab } from '../src/config/load.js'
import { packageRoot } from '../src/config/package-root.js'
import { defaultCacheFolder } from '../src/hypervisors/qemu/cache.js'
import { createXlDriver } from '../src/hypervisors/xl/driver.js'
import { guestcertProcess } from './cli-process.js'

const [program, ...args] = guestcertProcess
const file = join(packageRoot, 'fixtures/labs/xen-debian.yaml')
const never = new AbortController().signal

t.test('a real PV guest on a real Xen', { timeout: 1_700_000 }, async t => {
  t.teardown(() => execa(program, [...args, 'lab', 'down', 'xen'], { reject: false }))
  const up = await execa(program, [...args, 'lab', 'up', 'xen'], { reject: false })
  t.equal(up.exitCode, 0, up.stderr)
  t.match(up.stdout, /xen-1 +ssh -i \S+ -p 22825 root@127\.0\.0\.1 +SHA256:/)

  const folder = t.testdir()
  const { exitCode, stdout } = await execa(program, [...args, 'run', file, '-o', join(folder, 'reports')], {
    reject: false,
  })
  t.equal(exitCode, 0, stdout)
  const run = join(folder, 'reports/latest')
  const { counts, environments } = JSON.parse(await readFile(join(run, 'summary.json'), 'utf8')) as {
    counts: { pass: number }
    environments: { emulated: boolean }[]
  }
  t.equal(counts.pass, 12)
  t.match(environments, [{ emulated: false }])

  await t.test('says on what it ran', async t => {
    const journal = await readFile(join(run, 'journal.ndjson'), 'utf8')
    t.match(journal, /"hypervisor":"Xen 4\.17/)
    t.match(journal, /software emulation/)
  })

  await t.test('leaves the console as evidence, from power-on, both boots of it', async t => {
    const files = await readdir(join(run, 'evidence'), { recursive: true })
    const consoles = files.filter(name => name.endsWith('console.log'))
    t.equal(consoles.length, 1)
    const console = await readFile(join(run, 'evidence', consoles[0] ?? ''), 'utf8')
    t.equal(console.match(/Linux version/g)?.length, 2)
  })

  await t.test('leaves the host as it was', async t => {
    const host = (await loadLab(file)).hosts.get('xen-1')
    if (host === undefined) {
      throw new Error('the lab has no host xen-1')
    }
    const driver = createXlDriver({ host, cacheFolder: defaultCacheFolder() })
    t.teardown(() => driver.close())
    t.same(await driver.instances(never), [])
    const facts = await driver.facts(never)
    t.match(facts, { hypervisor: /^Xen 4\.17/, 'host machine': /QEMU/ })
  })

  const down = await execa(program, [...args, 'lab', 'down', 'xen'], { reject: false })
  t.match(down.stderr, /xen-debian is down/)
})
