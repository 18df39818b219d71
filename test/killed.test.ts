import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import type { JournalEvent } from '../src/journal/events.js'
import { guestcertProcess } from './cli-process.js'

const lab = `lab: killed
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  one: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } } }
  two:
    product: debian
    version: "12"
    arch: x86_64
    emulated: debian-12
    faults: { hang: { command: first.sh } }
    on: { here: { configuration: {} } }
suites: [${join(packageRoot, 'fixtures/test-suites/steady')}]
`

t.test(
  'a runner that is killed has told nothing that is not on disk, and leaves no green behind',
  async t => {
    const folder = t.testdir({ 'lab.yaml': lab })
    const [program, ...args] = guestcertProcess
    const runner = spawn(program, [...args, 'run', 'lab.yaml', '-o', 'reports'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let told = ''
    runner.stdout.on('data', chunk => {
      told += String(chunk)
      // The second guest hangs, so the run is far from its end.
      if (/pass .*steady\/second/.test(told)) {
        runner.kill('SIGKILL')
      }
    })
    await once(runner, 'close')
    const run = join(folder, 'reports/latest')
    const lines = (await readFile(join(run, 'journal.ndjson'), 'utf8'))
      .split('\n')
      .filter(line => line.endsWith('}'))
    const events = lines.map(line => JSON.parse(line) as JournalEvent)
    const passes = events.flatMap(event =>
      event.type === 'test-ended' && event.verdict === 'pass' ? [event.test] : [],
    )
    const printed = [...told.matchAll(/pass .*?(steady\/\w+)/g)].map(([, test]) => test)
    t.ok(printed.length > 0)
    t.same(
      printed.filter(test => !passes.some(pass => pass === test)),
      [],
      'every printed verdict is in the journal',
    )
    t.notOk(events.some(({ type }) => type === 'run-closed'))
    const files = await readdir(join(run, 'junit'))
    t.equal(files.length, 2, 'each planned environment has its file')
    const hung = await readFile(join(run, 'junit', files.find(name => name.startsWith('two@')) ?? ''), 'utf8')
    t.equal(hung.split('<testcase').length - 1, 3)
    t.equal(hung.split('<error').length - 1, 3, 'what was not observed is not a pass')
  },
)
