/** One interrupt ends a run that waits for a Windows guest, whatever it waits for: its limit is a day away. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import type { JournalEvent } from '../src/journal/events.js'
import { guestcertProcess } from './cli-process.js'
import { startWindows } from './emulated-windows.js'

const installing =
  'processes: [{ from: mutant, list: [{ image: TiWorker.exe, line: TiWorker.exe -Embedding, user: SYSTEM, session: 0, kb: 9000 }] }]'
const fault = (text: string): string => `faults: { from: mutant, list: ${text} }`

/** How the guest keeps the run waiting, and what the run says of it when it is interrupted. */
const waits: Readonly<Record<string, { readonly persona: string; readonly said: RegExp }>> = {
  'to accept a log-in': { persona: fault('{ noBanner: true }'), said: /the guest to answer/ },
  'to tell its login shell': {
    persona: fault('{ hang: { command: gc-shell, at: start } }'),
    said: /the guest to answer/,
  },
  'to answer whether it is ready': {
    persona: fault('{ hang: { command: EncodedCommand, at: start } }'),
    said: /the guest to be ready/,
  },
  'to settle': { persona: installing, said: /TiWorker\.exe is installing/ },
}

for (const [what, { persona, said }] of Object.entries(waits)) {
  t.test(`a run that waits for a Windows guest ${what}`, async t => {
    const folder = t.testdir({})
    const guest = await startWindows('windows-2022', { folder, text: persona })
    t.teardown(() => guest.close())
    const lab = t.testdir({
      'lab.yaml': `lab: interrupted-windows
defaults: { limits: { boot: 24h, handshake: 24h, firstCommand: 24h, command: 24h, undo: 24h, notice: 1s } }
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  windows:
    product: windows-server
    version: "2022"
    arch: x86_64
    login: { user: Administrator, password: env:PASSWORD, hostKey: "${guest.hostKeyFingerprint}" }
    on: { here: { address: "${guest.host}:${guest.port}", configuration: {} } }
suites: ["${join(packageRoot, 'suites/windows')}"]
`,
    })
    const [program, ...args] = guestcertProcess
    const runner = spawn(program, [...args, 'run', 'lab.yaml', '-o', 'reports', '--reporter', 'json'], {
      cwd: lab,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, PASSWORD: 'secret' },
    })
    let interrupts = 0
    createInterface({ input: runner.stdout }).on('line', line => {
      const event = JSON.parse(line) as JournalEvent
      if (event.type === 'waiting' && said.test(event.what) && interrupts === 0) {
        interrupts += 1
        runner.kill('SIGTERM')
      }
    })
    const [code] = (await once(runner, 'close')) as [number | null]
    t.equal(interrupts, 1, 'the run waited, and was interrupted once')
    t.equal(code, 130)
    const text = await readFile(join(lab, 'reports/latest/journal.ndjson'), 'utf8')
    const events = text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as JournalEvent)
    t.match(
      events.filter(({ type }) => type === 'instance-ended'),
      [{ orphan: null }],
      'what was begun is undone',
    )
    t.notOk(
      events.some(event => event.type === 'test-ended' && event.test !== 'guestcert/boot'),
      'no test has a verdict',
    )
    t.match(events.at(-1), { type: 'run-closed', interrupted: true, exitCode: 130 })
  })
}
