/** The driver on the emulated vCenter, behind a front that counts, refuses and cancels. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startEmulatedHost } from '../../../emulator/hosts/host.js'
import { Site } from '../../../emulator/hosts/site.js'
import { defaultLimits } from '../../config/limits.js'
import type { ApiConnection, CleanState, Guest, Placement } from '../../config/model.js'
import { packageRoot } from '../../config/package-root.js'
import { contract, type Subject } from '../contract.test.fixture.js'
import { createVsphereDriver } from './driver.js'
import { childrenOf, find, referenceOf, textAt } from './soap/element.js'
import { reference, tag } from './soap/write.js'
import { type Front, startFront } from './vcsim-front.test.fixture.js'

t.setTimeout(240_000)
const never = new AbortController().signal
const password = 'ssh-rsa AAAA test'
process.env.GC_EMULATED_PASSWORD = password

interface Emulated extends Subject {
  readonly front: Front
}

async function emulated(
  t: Test,
  clean: CleanState = { kind: 'overlay', path: 'sealed' },
  faults: object = {},
): Promise<Emulated> {
  const site = new Site()
  const common = {
    persona: 'esxi-7',
    personaFolders: [join(packageRoot, 'fixtures/personas')],
    users: [{ name: 'root', authorizedKeys: [password] }],
  }
  const vm = {
    name: 'deb',
    guest: { persona: 'debian-12', users: common.users },
    hardware: { vcpus: 2, memoryBytes: 2 ** 29, disk: 'pvscsi', nic: 'vmxnet3' },
    snapshots: ['sealed'],
  }
  const first = await startEmulatedHost({ ...common, name: 'esx-1', vms: [vm], faults }, site)
  const second = await startEmulatedHost({ ...common, name: 'esx-2' }, site)
  const front = await startFront(
    { url: `https://127.0.0.1:${first.api?.port}`, user: 'root', password },
    false,
  )
  const folder = await mkdtemp(join(tmpdir(), 'gc-vsphere-'))
  const api: ApiConnection = {
    url: front.url,
    user: 'root',
    password: { kind: 'env', name: 'GC_EMULATED_PASSWORD' },
    certificate: front.certificate,
    tls: '1.2',
    host: 'esx-1',
  }
  const limits = { lookEvery: 10, watchEvery: 50, silence: 5_000 }
  const host = { id: 'esx-1', version: '7.0', api, limits }
  const other = { ...host, id: 'esx-2', api: { ...api, host: 'esx-2' } }
  const driver = createVsphereDriver({ host, second: () => other })
  t.teardown(async () => {
    await driver.close()
    await front.close()
    await Promise.all([first.close(), second.close()])
    await rm(folder, { recursive: true, force: true })
  })
  const placement: Placement = {
    host: 'esx-1',
    place: { file: '/lab.yaml', line: 1, column: 1 },
    vm: 'deb',
    clean,
    viaHost: false,
    migratesTo: 'esx-2',
    configuration: { name: 'small' },
  }
  const instance = 'gc-run-e1-1'
  const self = async (): Promise<readonly [string, string]> => {
    const found = (await machines(front)).find(({ name }) => name === instance)
    return ['VirtualMachine', found?.self ?? '']
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
    driver,
    request: {
      instance,
      guest: { id: 'debian' } as Guest,
      placement,
      evidenceFolder: folder,
      limits: defaultLimits,
    },
    left: async () =>
      (await machines(front)).flatMap(({ name, claim }) =>
        name.startsWith('gc-') || claim !== '' ? [`${name} ${claim}`] : [],
      ),
    onCommand: told => {
      seen = 0
      listener = told
    },
    refuse: number => {
      seen = 0
      refused = number
    },
    end: async () => void (await front.ask('PowerOffVM_Task', await self())),
    restart: async () => void (await front.ask('ResetVM_Task', await self())),
    // A reset leaves the time at which it was powered on as it is.
    showsRestarts: false,
  }
}

/** Every virtual machine, by the vCenter's own account. */
async function machines(front: Front): Promise<{ name: string; self: string; claim: string }[]> {
  const spec = tag('specSet', [
    tag('propSet', [tag('type', 'VirtualMachine'), tag('pathSet', 'name'), tag('pathSet', 'customValue')]),
    tag('objectSet', [reference('obj', { type: 'Folder', value: 'group-d1' }), tag('selectSet')]),
  ])
  const collector = ['PropertyCollector', 'propertyCollector'] as const
  const answer = await front.ask('RetrievePropertiesEx', collector, [spec, tag('options')])
  return childrenOf(find(answer, 'returnval'), 'objects').map(object => {
    const values = new Map(
      childrenOf(object, 'propSet').map(each => [textAt(each, 'name'), find(each, 'val')]),
    )
    return {
      name: values.get('name')?.text ?? '',
      self: referenceOf(find(object, 'obj'))?.value ?? '',
      claim: textAt(childrenOf(values.get('customValue'), 'CustomFieldValue').at(-1), 'value') ?? '',
    }
  })
}

contract(t, 'vsphere', emulated)

t.test('a machine that its vCenter moves by itself is followed, and is no loss', async t => {
  const { driver, request, front } = await emulated(t)
  const running = await (await driver.instance(request).prepare(never)).start(never)
  const self = (await machines(front)).find(({ name }) => name === request.instance)?.self ?? ''
  const to = tag('spec', [reference('host', { type: 'HostSystem', value: 'host-11' })])
  await front.ask('RelocateVM_Task', ['VirtualMachine', self], [to])
  const log = join(request.evidenceFolder, 'host-events.log')
  // The watch writes it down when it has seen it.
  while (!(await readFile(log, 'utf8').catch(() => '')).includes('moved: from esx-1 to esx-2')) {
    running.gone.throwIfAborted()
    await wait(20)
  }
  t.notOk(running.gone.aborted)
  t.match(await running.migrate?.(never), { host: 'esx-1' }, 'back from where it is')
})

t.test('a task that fails at its end is the error of what asked for it, in the host’s words', async t => {
  const { driver, request } = await emulated(t, undefined, { lateFailure: { command: '^SuspendVM' } })
  const running = await (await driver.instance(request).prepare(never)).start(never)
  await t.rejects(async () => running.pause?.(never), {
    message:
      /SuspendVM_Task: A general system error occurred: the operation failed at its end \(SystemError\)/,
    context: { cause: 'host' },
  })
  t.notOk(running.gone.aborted)
})

t.test('a session that ends again and again is no trouble', async t => {
  const { driver, request, front, left } = await emulated(t, undefined, { sessionEnds: { calls: 4 } })
  const instance = await driver.instance(request).prepare(never)
  await (await instance.start(never)).stop(never)
  await instance.remove(never)
  t.strictSame(await left(), [])
  t.ok(front.heard.filter(({ method }) => method === 'Login').length > 2)
})

t.test('a snapshot that has vanished is named, with those that are there', async t => {
  const { driver, request } = await emulated(t, undefined, { vanishedSnapshot: { name: 'sealed' } })
  await t.rejects(driver.instance(request).prepare(never), {
    message: /gc-run-e1-1: there is no snapshot "sealed": it has none/,
    context: { cause: 'host' },
  })
})

t.test('a full datastore is the host’s fault, and leaves no half-made clone', async t => {
  const { driver, request, left } = await emulated(t, undefined, { noSpace: true })
  const instance = driver.instance(request)
  await t.rejects(instance.prepare(never), { message: /\(NoDiskSpace\)/, context: { cause: 'host' } })
  await instance.remove(never)
  t.strictSame(await left(), [])
})

t.test('a server that shows another certificate is told nothing', async t => {
  const { front } = await emulated(t)
  const api = {
    url: front.url,
    user: 'root',
    password: { kind: 'env', name: 'GC_EMULATED_PASSWORD' },
  } as const
  const host = {
    id: 'esx-1',
    version: '7.0',
    api: { ...api, certificate: '00'.repeat(32), tls: '1.2' },
  } as const
  const driver = createVsphereDriver({ host, second: () => undefined })
  t.teardown(() => driver.close())
  await t.rejects(driver.facts(never), {
    message: /its certificate has the SHA-256 [0-9a-f]{64}, and the lab says 0000/,
    context: { code: 'host-key' },
  })
  t.strictSame(front.heard.filter(({ method }) => method === 'Login').length, 0)
})
