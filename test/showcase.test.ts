import { readdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import type { JournalEvent } from '../src/journal/events.js'
import type { Plan } from '../src/plan/types.js'
import { guestcert } from './cli-io.js'
import { guestcertProcess } from './cli-process.js'
import { elements, readXml } from './read-xml.js'
import { trustLabKey, writeKeyFiles } from './record-lab.js'

const [program, ...args] = guestcertProcess

/** What stands against each pairing of the joint policy, by the names of its reasons, once a run of the showcase is recorded. */
const missing: Readonly<Record<string, readonly string[]>> = {
  'windows-server-2008-on-rhel-5.11': ['emulated', 'not-cosigned', 'row', 'not-reproduced'],
  'windows-server-2008-r2-on-rhel-5.11': ['emulated', 'not-cosigned', 'row', 'not-reproduced'],
  'windows-server-2022-on-rhel-9': ['emulated', 'not-cosigned', 'row', 'not-reproduced'],
  'windows-server-2025-on-rhel-9': ['emulated', 'not-cosigned', 'row', 'not-reproduced'],
  // The showcase has a host of 2008 whose guests run already, and none of 2025.
  'rhel-5.11-on-hyper-v-2008': ['no-run'],
  'rhel-9-on-hyper-v-2022': ['emulated', 'not-cosigned', 'row', 'not-reproduced'],
  'rhel-9-on-hyper-v-2025': ['no-run'],
}

t.test('the showcase passes, on Linux and Windows, and nothing in it looks real', async t => {
  const folder = t.testdir()
  await writeKeyFiles(folder, ['log.pem', 'lab.pem'])
  await guestcert(['record', 'init', '--party', 'example-lab', '--log-key', 'log.pem'], { cwd: folder })
  await trustLabKey(folder)
  const { exitCode, stdout, stderr } = await execa(
    program,
    // Six at once fill two cores, and keep each within its limits on a machine that does other work.
    [
      ...args,
      'run',
      join(packageRoot, 'fixtures/labs/showcase.yaml'),
      '-o',
      'reports',
      '--parallel',
      '6',
      '--certify',
      '--key',
      'lab.pem',
    ],
    { cwd: folder, reject: false, stdin: 'ignore' },
  )
  t.equal(exitCode, 0, stdout.split('\n').slice(-8).join('\n'))
  t.match(stdout, /EMULATED: .*certify nothing/)

  // By the emulator's own count, which knows nothing of what the runner believes.
  const counted = [...stderr.matchAll(/^emulated host (\S+): peak usage (.*)$/gm)]
  t.same(counted.map(([, host]) => host).sort(), [
    'esx-1',
    'esx-2',
    'esx-shell',
    'hv-2008',
    'hv-2008r2',
    'hv-2012r2',
    'hv-2022',
    'rhel5-kvm',
    'rhel5-xen',
    'rhel9-kvm',
    'rhel9-kvm-2',
    'sles-xen',
    'workstation',
    'xen',
    'xenserver-1',
    'xenserver-2',
  ])
  for (const [, host, text = ''] of counted) {
    for (const [, most, limit] of text.matchAll(/(\d+) of (\d+)/g)) {
      t.ok(Number(most) > 0 && Number(most) <= Number(limit), `${host}: ${text}`)
    }
  }

  const run = join(folder, 'reports/latest')
  const plan = JSON.parse(await readFile(join(run, 'plan.json'), 'utf8')) as Plan
  t.equal(plan.environments.length, 30)
  t.same([...new Set(plan.environments.map(({ guest }) => `${guest.product} ${guest.version}`))].sort(), [
    'debian 12',
    'rhel 5.11',
    'rhel 9.6',
    'sles 11 SP4',
    'sles 15 SP5',
    'ubuntu 22.04',
    'windows-server 2003 SP2',
    'windows-server 2008 R2 SP1',
    'windows-server 2008 SP2',
    'windows-server 2022',
    'windows-server 2025',
  ])
  t.same([...new Set(plan.environments.map(({ hypervisor }) => hypervisor.product))].sort(), [
    'esxi',
    'hyper-v',
    'rhel-kvm',
    'rhel-xen',
    'sles-xen',
    'vmware-workstation',
    'xen',
    'xenserver',
  ])
  t.ok(plan.environments.every(({ emulated }) => emulated))

  const lines = (await readFile(join(run, 'journal.ndjson'), 'utf8')).trimEnd().split('\n')
  const ended = lines
    .map(line => JSON.parse(line) as JournalEvent)
    .flatMap(event => (event.type === 'test-ended' && event.final ? [event] : []))
  // A guest that is thrown away after a test is brought up anew for the next one.
  const results = new Set(ended.map(({ environment, test }) => `${environment} ${test}`))
  t.equal(results.size, plan.expected, 'every planned test has its result')
  t.same(
    ended
      .filter(({ verdict }) => verdict !== 'pass')
      .map(({ environment, test }) => `${environment} ${test}`),
    [],
  )

  const files = await readdir(join(run, 'junit'))
  t.equal(files.length, plan.environments.length)
  for (const file of files) {
    const suites = elements(readXml(await readFile(join(run, 'junit', file), 'utf8')), 'testsuite')
    t.ok(suites.length > 0, file)
    t.ok(
      suites.every(({ attributes }) => String(attributes.name).endsWith(' (EMULATED)')),
      `${file} says that it is emulated`,
    )
  }

  await t.test('the record refuses it, and says of each pairing what is missing', async t => {
    t.match(await guestcert(['record', 'add', 'latest', '--key', 'lab.pem'], { cwd: folder }), { code: 0 })
    const policy = join(packageRoot, 'policies/joint-support.yaml')
    const why = await guestcert(['record', 'why', 'all', '--policy', policy], { cwd: folder })
    t.equal(why.code, 1, why.stderr)
    const rows = why.stdout.split(/^(?=\S)/m).map(row => row.trimEnd().split('\n'))
    const found = rows.map(([head = '', ...lines]) => [
      head.replace(': not certified', ''),
      lines.map(line => line.trim().split(':')[0] ?? '').filter(name => name !== 'run'),
    ])
    t.same(Object.fromEntries(found), missing)
    const name = /-[0-9a-f]{12}$/.exec(await realpath(run))?.[0] ?? '-'
    const named = rows.filter(([, line]) => line?.startsWith('  run: ') && line.includes(name))
    t.equal(named.length, Object.values(missing).filter(([first]) => first === 'emulated').length)
  })
})
