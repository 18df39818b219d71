import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { nameOfText } from '../emulator/hosts/hyperv/texts.js'
import { InfraError } from '../src/config/errors.js'
import { defaultLimits } from '../src/config/limits.js'
import type { Guest } from '../src/config/model.js'
import { packageRoot } from '../src/config/package-root.js'
import { contract, type Subject } from '../src/hypervisors/contract.test.fixture.js'
import type { GuestRequest } from '../src/hypervisors/driver.js'
import type { HyperVMachine } from '../src/hypervisors/hyperv/ask.js'
import { createHyperVDriver } from '../src/hypervisors/hyperv/driver.js'
import { hyperVTexts } from '../src/hypervisors/hyperv/texts/index.js'
import { vmTexts } from '../src/hypervisors/hyperv/texts/vm-texts.js'
import type { JournalEvent } from '../src/journal/events.js'
import { guestcertProcess } from './cli-process.js'
import { disk, openHyperVMachine, startHyperVHost } from './hyperv-host.js'

/** The driver for Hyper-V on emulated hosts, over SSH. */
t.setTimeout(240_000)
const never = new AbortController().signal
const instance = 'gc-20260101-000000-abcd-e1-1'
const [program, ...args] = guestcertProcess

async function openSubject(t: Test): Promise<Subject> {
  const started = await startHyperVHost(t)
  const { host, keyPath } = started
  const before = host.account?.() ?? []
  let listener = (_: number): void => {}
  let [heard, toRefuse] = [0, 0]
  const open = async (): Promise<HyperVMachine> => {
    const machine = await openHyperVMachine(started)
    return {
      label: machine.label,
      hostKey: machine.hostKey,
      lost: machine.lost,
      channels: machine.channels,
      run: (command, options) => machine.run(command, options),
      temporaryFolder: () => machine.temporaryFolder(),
      writeFile: (path, content) => machine.writeFile(path, content),
      forward: (to, port) => machine.forward(to, port),
      close: () => machine.close(),
      askHost: async (request, options) => {
        heard += 1
        listener(heard)
        toRefuse -= 1
        if (toRefuse === 0) {
          throw new InfraError('refused by the test', { cause: 'host', where: 'hv-1', code: 'command' })
        }
        return machine.askHost(request, options)
      },
    }
  }
  const limits = { lookEvery: 20, watchEvery: 200, shutdown: 20_000 }
  const driver = createHyperVDriver({
    host: { id: 'hv-1', product: 'hyper-v', version: '2022', limits },
    connect: open,
  })
  t.teardown(() => driver.close())
  const behind = await openHyperVMachine(started)
  t.teardown(() => behind.close())
  const tell = async ({ columns, text }: (typeof vmTexts)['turnOff' | 'start']): Promise<void> => {
    const options = { limitMs: 60_000, signal: never }
    const { rows } = await behind.askHost(['id,name', textOf('list')], options)
    const { id } = rows.find(({ name }) => name === instance) ?? {}
    await behind.askHost([columns.join(',') || 'none', text, String(id)], options)
  }
  const request: GuestRequest = {
    instance,
    guest: { id: 'rhel9', product: 'rhel', version: '9.6' } as Guest,
    placement: {
      host: 'hv-1',
      place: { file: '/lab.yaml', line: 1, column: 1 },
      vm: 'rhel9',
      clean: { kind: 'overlay', path: disk },
      viaHost: true,
      configuration: { name: 'test', generation: 2, disk: 'scsi', nic: 'synthetic' },
    },
    evidenceFolder: join(keyPath, '../evidence'),
    limits: defaultLimits,
  }
  return {
    driver,
    request,
    left: async () => (host.account?.() ?? []).filter(name => !before.includes(name)),
    onCommand: told => {
      heard = 0
      listener = told
    },
    refuse: number => {
      toRefuse = number
    },
    end: () => tell(vmTexts.turnOff),
    showsRestarts: false,
    restart: async () => {
      await tell(vmTexts.turnOff)
      await tell(vmTexts.start)
    },
  }
}

function textOf(name: string): string {
  return hyperVTexts.find(one => one.name === name)?.text ?? ''
}

contract(t, 'an emulated Hyper-V 2022', openSubject)

t.test('the emulator knows each text of the driver, and refuses any other', async t => {
  for (const { name, text } of hyperVTexts) t.equal(nameOfText(text), name)
  const machine = await openHyperVMachine(await startHyperVHost(t))
  t.teardown(() => machine.close())
  const options = { limitMs: 60_000, signal: never }
  await t.rejects(machine.askHost(['id', `${textOf('list')} `], options), {
    message: /is not a text of guestcert/,
    context: { cause: 'host' },
  })
})

/** A lab with one small guest on each of several hosts that misbehave. */
function labOf(hosts: Readonly<Record<string, string>>, boot: string): string {
  const clean = `{ overlay: '${disk}' }`
  const names = Object.keys(hosts)
  return [
    'lab: trouble',
    'defaults: { retries: 0, parallel: 8, limits: { boot: BOOT, undo: 5s } }'.replace('BOOT', boot),
    'hosts:',
    ...names.map(
      name =>
        `  ${name}: { product: hyper-v, version: "2022", driver: hyperv, emulated: hyper-v-2022, limits: { shutdown: 1s, destroy: 1s, lookEvery: 50ms }, faults: ${hosts[name]} }`,
    ),
    'guests:',
    ...names.flatMap(name => [
      `  on-${name}:`,
      '    { product: rhel, version: "9.6", arch: x86_64, emulated: rhel-9,',
      `      on: { ${name}: { vm: rhel9, clean: ${name === 'vanished' ? '{ snapshot: sealed }' : clean}, via: host, configuration: { generation: 2, vcpus: 1, memory: 512MiB } } } }`,
    ]),
    `suites: [${join(packageRoot, 'fixtures/test-suites/steady')}]`,
    '',
  ].join('\n')
}

async function runLab(t: Test, text: string): Promise<{ code: number | undefined; events: JournalEvent[] }> {
  const folder = t.testdir({ 'lab.yaml': text })
  const { exitCode } = await execa(program, [...args, 'run', 'lab.yaml', '-o', 'reports', '--quiet'], {
    cwd: folder,
    reject: false,
    stdin: 'ignore',
  })
  const lines = (await readFile(join(folder, 'reports/latest/journal.ndjson'), 'utf8')).trimEnd().split('\n')
  return { code: exitCode, events: lines.map(line => JSON.parse(line) as JournalEvent) }
}

t.test('a Hyper-V that misbehaves is the cause, and never makes a pass', async t => {
  const { code, events } = await runLab(
    t,
    labOf(
      {
        vanished: '{ vanishedSnapshot: { name: sealed } }',
        full: '{ noSpace: true }',
        localised: '{ noSpace: true, localised: { message: "Za mało miejsca na dysku." } }',
        slow: '{ slow: { ms: 5000 } }',
        gone: '{ gone: { command: clone } }',
      },
      '15s',
    ),
  )
  t.equal(code, 3)
  const boots = events.flatMap(event =>
    event.type === 'test-ended' && event.final && event.test === 'guestcert/boot' ? [event] : [],
  )
  const found = new Map(boots.map(event => [/on-([a-z]+)@/.exec(event.environment)?.[1], event]))
  for (const [name, { verdict }] of found) t.equal(verdict, 'error', name ?? '')
  t.match(found.get('vanished'), { cause: 'host', reason: /no domain snapshot|checkpoint/ })
  t.match(found.get('full'), { cause: 'host', reason: /not enough space on the disk.*0x80070070/ })
  t.match(found.get('localised'), { cause: 'host', reason: /Za mało miejsca na dysku\..*0x80070070/ })
  t.match(found.get('slow'), { cause: 'host', reason: /limit/ })
  t.match(found.get('gone'), { cause: /^(?:host|network)$/ })
})

t.test('late addresses and late merges are waited for; what its host cannot end is told as left', async t => {
  const { code, events } = await runLab(
    t,
    labOf({ late: '{ lateAddresses: { looks: 5 } }', stuck: '{ stuckInShutdown: {} }' }, '60s'),
  )
  const ended = events.flatMap(event => (event.type === 'test-ended' && event.final ? [event] : []))
  t.ok(ended.some(({ environment, verdict }) => /on-late@/.test(environment) && verdict === 'pass'))
  t.notOk(ended.some(({ environment, verdict }) => /on-late@/.test(environment) && verdict !== 'pass'))
  const orphans = events.flatMap(event => (event.type === 'instance-ended' && event.orphan ? [event] : []))
  t.match(orphans, [{ orphan: /turn it off|Stopping/ }])
  t.not(code, undefined)
})
