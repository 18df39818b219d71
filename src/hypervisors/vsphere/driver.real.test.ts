/**
 * The driver on govmomi's vSphere simulator, built from Debian's packages (golang-go, golang-github-vmware-govmomi-dev),
 * behind a front that plays what the simulator does not do; every request is judged by the schema that Debian's
 * python3-pyvmomi brings.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { GivenHostLimits } from '../../config/host-limits.js'
import { defaultLimits } from '../../config/limits.js'
import type { ApiConnection, CleanState, Guest, Placement } from '../../config/model.js'
import { packageRoot } from '../../config/package-root.js'
import type { HostShell } from '../../remote/index.js'
import { askLease } from '../../remote/lease/ask.js'
import { contract, type Subject } from '../contract.test.fixture.js'
import type { Driver, GuestRequest } from '../driver.js'
import { cancelTask } from './api/task.js'
import { createVsphereDriver } from './driver.js'
import { childrenOf, type Element, find, referenceOf, textAt } from './soap/element.js'
import { Session } from './soap/session.js'
import { reference, tag } from './soap/write.js'
import { buildVcsim, missingForVcsim, startVcsim } from './vcsim.test.fixture.js'
import { type Front, type Heard, startFront } from './vcsim-front.test.fixture.js'

t.setTimeout(900_000)
const never = new AbortController().signal
process.env.GC_VCSIM_PASSWORD = 'pass'

const missing = await missingForVcsim()
if (missing !== null) {
  t.comment(missing)
  t.pass('skipped', { skip: missing })
  process.exit(process.exitCode ?? 0)
}
const program = await buildVcsim()
const template = 'DC0_H0_VM0'
const heard: Heard[] = []

interface Simulated extends Subject {
  readonly front: Front
  readonly driver: Driver
  open(): Driver
}

async function simulated(
  t: Test,
  clean: CleanState = { kind: 'overlay', path: 'sealed' },
  given: GivenHostLimits = {},
): Promise<Simulated> {
  const sim = await startVcsim(program)
  const front = await startFront(sim)
  const folder = await mkdtemp(join(tmpdir(), 'gc-vsphere-'))
  const api = apiAt(front)
  const limits = { lookEvery: 10, watchEvery: 100, silence: 5_000, ...given }
  const host = { id: 'esx-1', version: '6.5', api, limits }
  const second = { ...host, id: 'esx-2', api: { ...api, host: 'DC0_H1' } }
  const drivers: Driver[] = []
  const open = (): Driver => {
    const driver = createVsphereDriver({ host, second: () => second })
    drivers.push(driver)
    return driver
  }
  t.teardown(async () => {
    await Promise.all(drivers.map(driver => driver.close()))
    heard.push(...front.heard)
    await front.close()
    await sim.close()
    await rm(folder, { recursive: true, force: true })
  })
  const vm = (await machines(front)).find(each => each.name === template)?.self ?? ''
  const snapshot = [tag('name', 'sealed'), tag('memory', false), tag('quiesce', false)]
  await front.ask('PowerOffVM_Task', ['VirtualMachine', vm])
  await front.ask('ReconfigVM_Task', ['VirtualMachine', vm], [tag('spec', [tag('annotation', 'clean')])])
  await front.ask('CreateSnapshot_Task', ['VirtualMachine', vm], snapshot)
  const placement: Placement = {
    host: 'esx-1',
    place: { file: '/lab.yaml', line: 1, column: 1 },
    vm: template,
    clean,
    viaHost: false,
    migratesTo: 'esx-2',
    configuration: { name: 'small' },
  }
  const request: GuestRequest = {
    instance: 'gc-run-e1-1',
    guest: { id: 'rhel' } as Guest,
    placement,
    evidenceFolder: folder,
    limits: defaultLimits,
  }
  const own = async (): Promise<string> => {
    const name = clean.kind === 'overlay' || clean.kind === 'copy' ? request.instance : template
    return (await machines(front)).find(each => each.name === name)?.self ?? ''
  }
  let [seen, refused] = [0, 0]
  let listener = (_: number): void => {}
  front.onRequest = () => {
    seen += 1
    listener(seen)
  }
  front.refuse = () =>
    refused > 0 && seen === refused ? { fault: 'SystemError', text: 'refused by the test' } : null
  return {
    front,
    driver: open(),
    open,
    request,
    left: async () => {
      const all = await machines(front)
      return all.flatMap(({ name, claim }) =>
        name.startsWith('gc-') || claim !== '' ? [`${name} ${claim}`] : [],
      )
    },
    onCommand: told => {
      seen = 0
      listener = told
    },
    refuse: number => {
      seen = 0
      refused = number
    },
    end: async () => void (await front.ask('PowerOffVM_Task', ['VirtualMachine', await own()])),
  }
}

function apiAt({ url, certificate }: Front): ApiConnection {
  const password = { kind: 'env', name: 'GC_VCSIM_PASSWORD' } as const
  return { url, user: 'user', password, certificate, tls: '1.2', host: 'DC0_H0' }
}

/** Every virtual machine of the simulator. */
async function machines(front: Front): Promise<{ name: string; self: string; claim: string }[]> {
  const folders = tag(
    'selectSet',
    [
      tag('name', 'machines'),
      tag('type', 'Datacenter'),
      tag('path', 'vmFolder'),
      tag('selectSet', [tag('name', 'folders')]),
    ],
    'TraversalSpec',
  )
  const down = tag(
    'selectSet',
    [
      tag('name', 'folders'),
      tag('type', 'Folder'),
      tag('path', 'childEntity'),
      tag('selectSet', [tag('name', 'folders')]),
      tag('selectSet', [tag('name', 'machines')]),
    ],
    'TraversalSpec',
  )
  const spec = tag('specSet', [
    tag('propSet', [tag('type', 'VirtualMachine'), tag('pathSet', 'name'), tag('pathSet', 'customValue')]),
    tag('objectSet', [reference('obj', { type: 'Folder', value: 'group-d1' }), down, folders]),
  ])
  const answer = await front.ask(
    'RetrievePropertiesEx',
    ['PropertyCollector', 'propertyCollector'],
    [spec, tag('options')],
  )
  return childrenOf(find(answer, 'returnval'), 'objects').map(object => {
    const values = new Map(
      childrenOf(object, 'propSet').map(each => [textAt(each, 'name'), find(each, 'val')]),
    )
    const claims = childrenOf(values.get('customValue'), 'CustomFieldValue')
    return {
      name: values.get('name')?.text ?? '',
      self: referenceOf(find(object, 'obj'))?.value ?? '',
      claim: textAt(claims.at(-1), 'value') ?? '',
    }
  })
}

contract(t, 'vsphere on the simulator', simulated)

t.test('a session that ends in the middle begins anew', async t => {
  const { driver, request, front } = await simulated(t)
  const instance = await driver.instance(request).prepare(never)
  let left = 3
  front.refuse = ({ method }) => {
    left -= method === 'Login' ? 0 : 1
    return left === 0 ? { fault: 'NotAuthenticated', text: 'The session is not authenticated.' } : null
  }
  const running = await instance.start(never)
  await running.pause?.(never)
  t.equal(front.heard.filter(({ method }) => method === 'Login').length, 2)
  await instance.remove(never)
})

t.test('a machine that is reverted to its clean snapshot is given back as it was', async t => {
  const { driver, request, front, left } = await simulated(t, { kind: 'snapshot', name: 'sealed' })
  const instance = await driver.instance(request).prepare(never)
  const vm = (await machines(front)).find(each => each.name === template)?.self ?? ''
  const running = await instance.start(never)
  await front.ask(
    'ReconfigVM_Task',
    ['VirtualMachine', vm],
    [tag('spec', [tag('annotation', 'written after it')])],
  )
  await running.snapshot?.('mine', never)
  await running.revert?.('mine', never)
  t.match(await left(), [/DC0_H0_VM0 .*"clean":"sealed"/], 'it says whose it is')
  await running.stop(never)
  await instance.remove(never)
  t.strictSame(await left(), [])
  t.notMatch(
    await propertyOf(front, vm, 'config.annotation'),
    /written after it/,
    'what was written after the snapshot is gone',
  )
})

t.test('a picture of the screen is fetched and removed there, and an NMI is sent', async t => {
  const { driver, request, front } = await simulated(t)
  const running = await (await driver.instance(request).prepare(never)).start(never)
  t.equal(await running.screenshot?.(never), 'screenshot-1.png')
  const picture = await readFile(join(request.evidenceFolder, 'screenshot-1.png'))
  t.equal(picture.toString('hex'), '89504e470d0a1a0a')
  await running.nmi?.(never)
  t.match(front.heard.slice(-1), [{ method: 'SendNMI' }])
  t.ok(front.heard.some(({ method }) => method === 'DeleteDatastoreFile_Task'))
  t.match(await running.access(never), { endpoint: { host: '192.0.2.10' } })
})

/** What a life must show by the simulator's own account, whatever the driver believes. */
async function live({ driver, request, front, left }: Simulated): Promise<void> {
  const instance = await driver.instance(request).prepare(never)
  const self = (await machines(front)).find(({ name }) => name === request.instance)?.self ?? ''
  const demand = async (path: string, wanted: string | ((value: string) => boolean)): Promise<void> => {
    const value = await propertyOf(front, self, path)
    if (typeof wanted === 'string' ? value !== wanted : !wanted(value)) {
      throw new Error(`${path} is "${value}"`)
    }
  }
  const running = await instance.start(never)
  await demand('config.annotation', value => value.includes(request.instance))
  await demand('runtime.powerState', 'poweredOn')
  await running.pause?.(never)
  await demand('runtime.powerState', 'suspended')
  await running.resume?.(never)
  await demand('runtime.powerState', 'poweredOn')
  const booted = await propertyOf(front, self, 'summary.runtime.bootTime')
  await running.reset?.(never)
  await demand('summary.runtime.bootTime', value => value !== booted)
  await running.snapshot?.('one', never)
  await front.ask('ReconfigVM_Task', ['VirtualMachine', self], [tag('spec', [tag('annotation', 'later')])])
  await running.powerOff?.(never)
  await demand('runtime.powerState', 'poweredOff')
  await running.powerOn?.(never)
  const again = await propertyOf(front, self, 'summary.runtime.bootTime')
  await running.revert?.('one', never)
  await demand('config.annotation', value => value !== 'later')
  await demand('summary.runtime.bootTime', value => value === again)
  await demand('runtime.powerState', 'poweredOn')
  await running.deleteSnapshot?.('one', never)
  await demand('snapshot', '')
  const disk = await running.attachDisk?.(2 ** 20, never)
  await demand('config.hardware.device', value => value.includes('1024'))
  await running.detachDisk?.(disk?.serial ?? '', never)
  const card = await running.attachNic?.(never)
  await demand('config.hardware.device', value => value.includes(card?.mac ?? '?'))
  await running.detachNic?.(card?.mac ?? '', never)
  await demand('config.hardware.device', value => !value.includes(card?.mac ?? '?'))
  await running.migrate?.(never)
  await running.shutdown?.(never)
  await demand('runtime.powerState', 'poweredOff')
  await instance.remove(never)
  const remains = await left()
  if (remains.length > 0) {
    throw new Error(`left: ${remains.join(', ')}`)
  }
}

/** A property with all that is in it, as the simulator has it. */
async function propertyOf(front: Front, vm: string, path: string): Promise<string> {
  const spec = tag('specSet', [
    tag('propSet', [tag('type', 'VirtualMachine'), tag('pathSet', path)]),
    tag('objectSet', [reference('obj', { type: 'VirtualMachine', value: vm })]),
  ])
  const collector = ['PropertyCollector', 'propertyCollector'] as const
  const answer = await front.ask('RetrievePropertiesEx', collector, [spec, tag('options')])
  const words = (element: Element | undefined): string =>
    element === undefined ? '' : element.text.trim() + element.children.map(words).join(' ')
  return words(find(answer, 'returnval', 'objects', 'propSet', 'val'))
}

/** Each command once as another one, with a flag the other way round, or without an element. */
const mutants: readonly (readonly [method: string, from: string | RegExp, to: string])[] = [
  ['PowerOnVM_Task', /PowerOnVM_Task/g, 'SuspendVM_Task'],
  ['PowerOffVM_Task', /PowerOffVM_Task/g, 'PowerOnVM_Task'],
  ['SuspendVM_Task', /SuspendVM_Task/g, 'PowerOffVM_Task'],
  ['ResetVM_Task', /ResetVM_Task/g, 'PowerOnVM_Task'],
  ['ShutdownGuest', />vm-\d+</, '>vm-1<'],
  ['CloneVM_Task', /<name>gc-[^<]*/, '<name>other'],
  ['CloneVM_Task', /<config>.*<\/config>/, ''],
  ['CreateSnapshot_Task', '<name>one', '<name>two'],
  ['CreateSnapshot_Task', '<memory>true', '<memory>false'],
  ['RevertToSnapshot_Task', '<suppressPowerOn>false', '<suppressPowerOn>true'],
  ['RemoveSnapshot_Task', />snapshot-\d+</, '>snapshot-1<'],
  ['ReconfigVM_Task', '<operation>add', '<operation>edit'],
  ['ReconfigVM_Task', '<operation>remove', '<operation>edit'],
  ['ReconfigVM_Task', /<macAddress>[^<]*/, '<macAddress>00:50:56:00:00:01'],
  ['RelocateVM_Task', /<host type.*?<\/host>/, ''],
  ['Destroy_Task', /Destroy_Task/g, 'PowerOnVM_Task'],
]

/** A mutant fails whether it is waited for or not. */
const hasty = {
  start: 5_000,
  shutdown: 5_000,
  destroy: 5_000,
  unplug: 5_000,
  snapshot: 5_000,
  migrate: 5_000,
}

t.test('a driver whose commands are all right lives, and one with any of them wrong does not', async t => {
  await live(await simulated(t))
  for (const [method, from, to] of mutants) {
    const subject = await simulated(t, undefined, hasty)
    let altered = 0
    subject.front.alter = ({ method: asked, body }) => {
      const now = asked === method ? body.replace(from, to) : body
      altered += now === body ? 0 : 1
      return now
    }
    const mutated = `${method} ${from} ${to}`
    await t.rejects(live(subject), mutated)
    t.ok(altered > 0, `${mutated}: it was sent`)
  }
})

t.test('what a dead run left is found and removed, a clone and a lent machine', async t => {
  for (const clean of [{ kind: 'overlay', path: 'sealed' }, { kind: 'none' }] as const) {
    const { driver, open, request, left } = await simulated(t, clean)
    await (await driver.instance(request).prepare(never)).start(never)
    const later = open()
    const found = (await later.leftovers?.(never)) ?? []
    t.match(found, [{ name: request.instance, run: 'run', kept: false, shared: clean.kind === 'none' }])
    await later.clean?.(request.instance, never)
    await later.clean?.(request.instance, never)
    t.strictSame(await left(), [])
    t.strictSame(await later.leftovers?.(never), [])
  }
})

const unshelled: HostShell = { label: 'none', run: () => Promise.reject(new Error('there is no shell')) }

t.test('of two who want the lease of a host one gets it', async t => {
  const { driver, open } = await simulated(t)
  const shells = await Promise.all([driver, open()].map(each => each.shell?.(never)))
  const ask = (number: number, what: 'take' | 'renew' | 'release' | 'look', mine = '0') =>
    askLease(
      shells[number] ?? unshelled,
      { what, folder: '', id: `run-${number}`, ttlSec: 60, everySec: 10, mine, about: [`run r${number}`] },
      { signal: never, limitMs: 10_000 },
    )
  const words = (await Promise.all([ask(0, 'take'), ask(1, 'take')])).map(each => each.word)
  t.strictSame([...words].sort(), ['held', 'taken'].sort())
  const [winner, loser] = words[0] === 'taken' ? [0, 1] : [1, 0]
  t.match(await ask(loser, 'take'), { word: 'held', owner: { run: `r${winner}` } })
  t.match(await ask(winner, 'renew', '1'), { word: 'kept', generation: 1, mark: '1.1' })
  t.match(await ask(winner, 'release', '1'), { word: 'free', owner: null })
  t.match(await ask(loser, 'take'), { word: 'taken', generation: 2 })
  t.match(await ask(winner, 'renew', '1'), { word: 'lost', owner: { run: `r${loser}` } })
})

t.test('a task that has ended need not be cancelled', async t => {
  const { front } = await simulated(t)
  const vm = (await machines(front)).find(({ name }) => name === template)?.self ?? ''
  const begun = await front.ask('PowerOnVM_Task', ['VirtualMachine', vm])
  const task = referenceOf(find(begun, 'returnval'))
  const options = { signal: never, limit: { name: 'command', ms: 10_000 }, where: 'test' }
  const session = new Session(apiAt(front), options.limit)
  t.teardown(() => session.close())
  await cancelTask(session, task ?? { type: 'Task', value: '' }, options)
  heard.push(...front.heard)
})

t.test(
  'every request is one of the schema, in its order, and known since version 6.0 of the API',
  async t => {
    const distinct = [...new Map(heard.map(each => [shapeOf(each), each])).values()]
    const judged = await judge(distinct)
    t.strictSame([...new Set(judged.map(({ method }) => method))].sort(), [...methods].sort())
    for (const { method, mistakes, since } of judged) {
      t.strictSame(mistakes, [], method)
      t.ok(
        (since['vim.version'] ?? 0) <= (method === 'SendNMI' ? 10 : 7),
        `${method}: since ${JSON.stringify(since)}`,
      )
    }
  },
)

/** All that the driver sends, but for what pages through long lists and ends sessions. */
const methods = [
  'AddCustomFieldDef',
  'CancelTask',
  'CloneVM_Task',
  'CreateScreenshot_Task',
  'CreateSnapshot_Task',
  'CurrentTime',
  'DeleteDatastoreFile_Task',
  'Destroy_Task',
  'Login',
  'Logout',
  'PowerOffVM_Task',
  'PowerOnVM_Task',
  'ReconfigVM_Task',
  'RelocateVM_Task',
  'RemoveCustomFieldDef',
  'RemoveSnapshot_Task',
  'ResetVM_Task',
  'RetrievePropertiesEx',
  'RetrieveServiceContent',
  'RevertToSnapshot_Task',
  'SendNMI',
  'SetField',
  'ShutdownGuest',
  'SuspendVM_Task',
]

/** Requests that differ in values alone are judged once. */
function shapeOf({ body }: Heard): string {
  return body.replace(/>[^<]+</g, '><')
}

interface Judged {
  readonly method: string
  readonly since: Readonly<Record<string, number>>
  readonly mistakes: readonly string[]
}

function judge(requests: readonly Heard[]): Promise<Judged[]> {
  return new Promise((resolve, reject) => {
    const script = join(packageRoot, 'test', 'vsphere', 'judge.py')
    const options = { maxBuffer: 2 ** 26 }
    const child = execFile('/usr/bin/python3', ['-W', 'ignore', script], options, (error, stdout) => {
      if (error) {
        reject(error)
      } else {
        resolve(
          stdout
            .trim()
            .split('\n')
            .map(line => JSON.parse(line) as Judged),
        )
      }
    })
    child.stdin?.end(requests.map(each => `${JSON.stringify(each)}\n`).join(''))
  })
}
