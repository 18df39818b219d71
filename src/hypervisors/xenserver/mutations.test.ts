import t, { type Test } from 'tap'
import type { CleanState, Host } from '../../config/model.js'
import { untilAborted } from '../../remote/index.js'
import type { RunningGuest } from '../driver.js'
import { type Alter, instance, requestFor, signal, startHost } from './fake-host.test.fixture.js'
import type { FakePool, Fields } from './fake-pool.test.fixture.js'
import { xenserverModule } from './module.js'

t.setTimeout(240_000)
const lossMs = 5_000

/** What only shortens a list: what it leaves out is passed over anyway, or what xe prints by itself. */
const narrowing = /^(?:(?:is-control-domain|is-a-snapshot|type|content-type)=|params=uuid(?:,name-label)?$)/

interface Given {
  readonly clean: CleanState
  readonly vm: string
  /** What its disk has when it starts. */
  readonly content: string
  /** How it is found, where it is lent. */
  readonly found?: 'running' | 'halted'
}

const variants: readonly Given[] = [
  { vm: 'rhel9', clean: { kind: 'overlay', path: 'sealed' }, content: 'rhel9' },
  { vm: 'rhel9', clean: { kind: 'overlay', path: 'rhel9' }, content: 'written since' },
  { vm: 'rhel9', clean: { kind: 'snapshot', name: 'sealed' }, content: 'rhel9' },
  { vm: 'golden', clean: { kind: 'overlay', path: 'golden' }, content: 'golden' },
  { vm: 'rhel9', clean: { kind: 'none' }, content: 'written since', found: 'running' },
  { vm: 'rhel9', clean: { kind: 'none' }, content: 'written since', found: 'halted' },
]

/** All that a driver does with a machine, once; throws when something of it does not hold. */
async function everything(subtest: Test, variant: Given, alter?: Alter): Promise<void> {
  const { clean, vm, content, found } = variant
  const { pool, driver, folder } = await startHost(subtest, alter)
  if (found === 'running') pool.run(pool.named(vm), pool.hostNamed('xs-1'))
  const before = pool.vifs.length
  const given = requestFor(folder, clean, { vm })
  const request = { ...given, limits: { ...given.limits, boot: 100 } }
  const capacity = { guests: 1, vcpus: 1, memoryBytes: 1, locks: [] }
  const host = { id: 'xs-1', product: 'xenserver', version: '8.2', driver: xenserverModule, capacity }
  const checks = driver.checks?.({ host: host as unknown as Host, guests: [request], freeBytes: 1 })
  for (const { name, carryOut } of checks ?? []) {
    demand((await carryOut(signal)).state === 'ok', name)
  }
  const prepared = await driver.instance(request).prepare(signal)
  const machine = pool.named(clean.kind === 'overlay' ? instance : vm)
  demand(pool.diskOf(machine).content === content, 'it begins with a clean disk')
  if (vm === 'golden') {
    // A runner died before it was more than a template.
    machine['is-a-template'] = 'true'
    demand((await driver.leftovers?.(signal))?.[0]?.what === 'a VM (halted)', 'it is found')
  } else {
    const running = await prepared.start(signal)
    demand(running.facts['host name'] === 'xs-1', 'the facts are those of its host')
    await use(pool, machine, running)
    demand(/running/.test((await driver.leftovers?.(signal))?.[0]?.what ?? ''), 'it is found')
    // Whatever else comes and goes in the pool is not ours.
    const late = pool.addVm('late')
    pool.addVbd(late, pool.addVdi({ 'name-label': 'theirs' }), { device: 'xvdd' })
    pool.run(late, pool.hostNamed('xs-1'))
    if (content === 'rhel9' && clean.kind === 'overlay') {
      pool.halt(machine)
      await untilAborted(lossMs, running.gone)
      demand(running.gone.aborted, 'its end is seen')
    }
  }
  // A guest that listens to nobody is ended all the same.
  pool.isDeaf = clean.kind !== 'none'
  await prepared.remove(signal)
  demand(pool.left().length === 0, pool.left().join())
  if (clean.kind !== 'overlay') {
    demand(machine['power-state'] === (found ?? 'halted'), 'it is as it was found')
  }
  demand(clean.kind !== 'none' || pool.vifs.length === before + 1, 'its cards are those that it had')
}

async function use(pool: FakePool, machine: Fields, running: RunningGuest): Promise<void> {
  await running.access(signal)
  await running.pause?.(signal)
  await running.resume?.(signal)
  await running.reset?.(signal)
  await running.shutdown?.(signal)
  await running.powerOn?.(signal)
  await running.snapshot?.('one', signal)
  const { content = '' } = pool.diskOf(machine)
  pool.diskOf(machine).content = 'after the snapshot'
  await addAndRemove(pool, machine, running)
  await running.revert?.('one', signal)
  demand(pool.diskOf(machine).content === content, 'what was written after the snapshot is gone')
  await running.deleteSnapshot?.('one', signal)
  await running.setVcpus?.(1, signal)
  await running.setMemory?.(2 ** 27, signal)
  demand((await running.migrate?.(signal))?.host === 'xs-2', 'it has moved')
  await running.migrate?.(signal)
  await running.nmi?.(signal)
  await running.attachDisk?.(1024, signal)
  await running.attachNic?.(signal)
  await running.snapshot?.('left', signal)
  demand(!running.gone.aborted, 'it is there')
}

async function addAndRemove(pool: FakePool, machine: Fields, running: RunningGuest): Promise<void> {
  const disk = await running.attachDisk?.(1024, signal)
  const vdi = pool.vdis.find(each => each.uuid === disk?.serial)
  const vbd = pool.vbds.find(each => each['vdi-uuid'] === disk?.serial)
  demand(vbd?.mode === 'RW' && disk?.device === vbd.device, 'the disk can be written to')
  demand(vdi?.['sr-uuid'] === pool.diskOf(machine)['sr-uuid'], 'it lies beside the first one')
  const card = await running.attachNic?.(signal)
  const [first, added] = pool.vifs.filter(vif => vif['vm-uuid'] === machine.uuid)
  demand(first?.['network-uuid'] === added?.['network-uuid'], 'the card is like the first one')
  // Somebody looks at the disk from another machine.
  const [theirs] = [pool.addVbd(pool.named('other'), vdi ?? {})]
  pool.vbds.unshift(...pool.vbds.splice(pool.vbds.indexOf(theirs), 1))
  await running.detachDisk?.(disk?.serial ?? '', signal)
  await running.detachNic?.(card?.mac ?? '', signal)
  demand(!pool.vdis.includes(vdi ?? {}) && !pool.vbds.includes(vbd ?? {}), 'the disk is destroyed')
  demand(!pool.vifs.includes(added ?? {}), 'the card is destroyed')
}

function demand(holds: boolean, what: string): void {
  if (!holds) {
    throw new Error(what)
  }
}

/** A command without its values: which command it is. */
function shapeOf(words: readonly string[]): string {
  const [verb = '', ...rest] = words
  return [verb, ...rest.map(word => (word.startsWith('params=') ? word : word.replace(/=.*/, '=')))].join(' ')
}

/** What is changed of a command: its verb, a word that is missing, an object that is another one. */
function mutantsOf(words: readonly string[]): [string, (given: readonly string[]) => readonly string[]][] {
  const wrong = '=0a0a0a0a-0000-4000-8000-000000000000'
  return [
    // A list that is refused, or a change that is none and says nothing.
    ['another verb', ([verb = '', ...rest]) => [verb.endsWith('-list') ? `${verb}s` : 'sr-list', ...rest]],
    ...words.flatMap(
      (word, index): ReturnType<typeof mutantsOf> =>
        index === 0 || narrowing.test(word)
          ? []
          : [
              [`without ${word}`, given => given.filter((_, at) => at !== index)],
              ...(/=[0-9a-f-]{36}$/.test(word)
                ? ([
                    [
                      `wrong ${word}`,
                      given => given.map((one, at) => (at === index ? one.replace(/=.*/, wrong) : one)),
                    ],
                  ] satisfies ReturnType<typeof mutantsOf>)
                : []),
            ],
    ),
  ]
}

const atOnce = 16

t.test('no command of the driver can be another one without the contract failing', async t => {
  const shapes = new Map<string, { readonly words: readonly string[]; readonly given: Set<Given> }>()
  for (const given of variants) {
    await everything(t, given, words => {
      const shape = shapeOf(words)
      const known = shapes.get(shape) ?? { words, given: new Set() }
      known.given.add(given)
      shapes.set(shape, known)
      return null
    })
  }
  t.ok(shapes.size > 30, `${shapes.size} commands`)
  const mutants = [...shapes].flatMap(([shape, { words, given }]) =>
    mutantsOf(words).map(([name, change]) => ({ shape, given, name, change })),
  )
  const survivors: string[] = []
  const work = mutants.values()
  const failsSomewhere = async (given: Iterable<Given>, alter: Alter): Promise<boolean> => {
    for (const variant of given) {
      try {
        await everything(t, variant, alter)
      } catch {
        return true
      }
    }
    return false
  }
  const judge = async (): Promise<void> => {
    for (const { shape, given, name, change } of work) {
      const alter: Alter = words => (shapeOf(words) === shape ? change(words) : null)
      if (!(await failsSomewhere(given, alter))) {
        survivors.push(`${shape}: ${name}`)
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, judge))
  t.comment(`${mutants.length} mutants of ${shapes.size} commands`)
  t.strictSame(survivors, [])
})
