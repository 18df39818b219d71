/** Each command that the driver sends, altered: another verb, a word that is missing, another id. Takes a minute. */
import t, { type Test } from 'tap'
import type { CleanState, Host } from '../../config/model.js'
import { untilAborted } from '../../remote/index.js'
import type { RunningGuest } from '../driver.js'
import { hostLimits } from '../limit.js'
import {
  type Alter,
  cleanDisk,
  type EmulatedEsxi,
  idOf,
  instance,
  never,
  limits as patient,
  startEsxi,
} from './emulated-host.test.fixture.js'
import { esxiModule } from './module.js'

t.setTimeout(600_000)
/** What an altered command breaks need not be waited for as long as what is sound. */
const hasty = hostLimits({
  command: 1_500,
  start: 1_000,
  shutdown: 600,
  destroy: 600,
  snapshot: 600,
  lookEvery: 10,
  watchEvery: 30,
})
/** How long the host's answers are waited for, and an event that must come. */
const sound = { limits: patient, eventMs: 20_000 }
const altered: typeof sound = { limits: hasty, eventMs: 1_500 }

interface Variant {
  readonly clean: CleanState
  readonly faults?: object
  /** What must come of it. */
  readonly ends: 'well' | 'with a question' | 'before it starts'
}

const copy: CleanState = { kind: 'copy', path: cleanDisk }
const snapshot: CleanState = { kind: 'snapshot', name: 'sealed' }
const variants: readonly Variant[] = [
  { clean: copy, ends: 'well' },
  // Power-off begins a task that fails, and the process is ended by force.
  { clean: snapshot, faults: { lateFailure: { command: 'power.off' } }, ends: 'well' },
  { clean: copy, faults: { fillsUp: { looks: 2 } }, ends: 'with a question' },
  { clean: snapshot, faults: { lateFailure: { command: 'snapshot.revert' } }, ends: 'before it starts' },
]

function demand(holds: boolean, what: string): void {
  if (!holds) {
    throw new Error(what)
  }
}

/** All that a driver does with a machine, once; throws when something of it does not hold. */
async function everything(
  t: Test,
  { clean, faults = {}, ends }: Variant,
  alter: Alter,
  { limits, eventMs } = altered,
): Promise<void> {
  const esxi = await startEsxi(t, { faults }, alter, limits)
  const { driver, run, left } = esxi
  const request = esxi.request(clean)
  const hard = { ...request, limits: { ...request.limits, boot: eventMs } }
  const capacity = { guests: 1, vcpus: 1, memoryBytes: 1, locks: [] }
  const host = { id: 'esx-1', product: 'esxi', version: '8.0', driver: esxiModule, capacity }
  const checks = driver.checks?.({ host: host as unknown as Host, guests: [hard], freeBytes: 1 })
  for (const { name, carryOut } of checks ?? []) {
    demand((await carryOut(never)).state === 'ok', name)
  }
  const preparing = driver.instance(hard).prepare(never)
  if (ends === 'before it starts') {
    const said = await preparing.then(
      () => '',
      (error: Error) => error.message,
    )
    return demand(/failed at its end/.test(said), 'a clean state that was not reached is an error')
  }
  const prepared = await preparing
  const running = await prepared.start(never)
  if (ends === 'with a question') {
    await untilAborted(eventMs, running.gone)
    const { message = '' } = (running.gone.reason ?? {}) as Error
    return demand(/There is no more space/.test(message), 'what it asks is told')
  }
  await use(esxi, running, clean.kind === 'copy' ? instance : 'deb')
  demand(/running/.test((await driver.leftovers?.(never))?.[0]?.what ?? ''), 'it is found')
  await prepared.remove(never)
  demand((await left()).length === 0, 'nothing is left')
  const ids = (await run("vim-cmd vmsvc/getallvms|sed -n 's/^\\([0-9]*\\) .*/\\1/p'")).trim().split('\n')
  const states = await run(ids.map(id => `vim-cmd vmsvc/power.getstate ${id}`).join(';'))
  demand(ids.length === 2 && !/Powered on|Suspended/.test(states), 'nothing runs')
}

async function use(esxi: EmulatedEsxi, running: RunningGuest, name: string): Promise<void> {
  const id = await idOf(esxi, name)
  const look = async (): Promise<string> => (await esxi.run(`vim-cmd vmsvc/power.getstate ${id}`)).trim()
  const tree = (): Promise<string> => esxi.run(`vim-cmd vmsvc/snapshot.get ${id}`)
  const guest = await esxi.run(`until vim-cmd vmsvc/get.guest ${id}|grep 192;do :;done`)
  demand(guest.includes((await running.access(never)).endpoint.host), 'its address')
  await running.pause?.(never)
  demand(/Suspended$/.test(await look()), 'it is suspended')
  await running.resume?.(never)
  demand(/Powered on$/.test(await look()), 'it goes on')
  const resets = async (): Promise<number> =>
    ((await esxi.run(`vim-cmd vmsvc/get.tasklist ${id}`)).match(/\.reset-/g) ?? []).length
  const before = await resets()
  await running.reset?.(never)
  demand((await resets()) === before + 1, 'it is reset')
  await running.snapshot?.('one', never)
  demand(new RegExp(`Name +: ${instance}.one\\n[^|]*powered on`).test(await tree()), 'with its memory')
  await running.shutdown?.(never)
  demand(/Powered off$/.test(await look()), 'it is off')
  await running.revert?.('one', never)
  demand(/Powered on$/.test(await look()), 'it is back')
  demand(/\.revert-\d+'[^.]*$/.test((await esxi.run(`vim-cmd vmsvc/get.tasklist ${id}`)).trim()), 'reverted')
  await running.deleteSnapshot?.('one', never)
  demand(!(await tree()).includes('one'), 'its snapshot is gone')
  await running.powerOff?.(never)
  const tasks = await esxi.run(`vim-cmd vmsvc/get.tasklist ${id}`)
  demand(/\.powerOff-\d+'[^.]*$/.test(tasks.trim()), 'it is powered off, and ended by force only then')
  await running.powerOn?.(never)
  demand(!running.gone.aborted, 'it is there')
}

const commands = /\b(?:vim-cmd|esxcli|vmkfstools)(?: (?:'[^']*'|[^\s;'|&}]+))+/g

function wordsOf(command: string): string[] {
  return command.match(/(?:[^\s']|'[^']*')+/g) ?? []
}

/** A command without its values: which command it is. */
function shapeOf(command: string): string {
  return wordsOf(command)
    .map((word, index) => {
      const value = word.replaceAll("'", '')
      return index < 2 || /^(?:-?[a-z]+|--formatter=csv)$/.test(value)
        ? word
        : /^\d+$/.test(value)
          ? '#'
          : value.startsWith('haTask-')
            ? 'TASK'
            : '*'
    })
    .join(' ')
}

type Change = (words: readonly string[]) => readonly string[]

/** What is changed of a command: its verb, a word that is missing, an id or a flag that is another one. */
function mutantsOf(words: readonly string[]): [string, Change][] {
  const harmless =
    words[0] === 'vim-cmd' ? ['vim-cmd', 'vmsvc/power.getstate'] : ['esxcli', 'vm', 'process', 'help']
  return [
    ['another verb', given => [...harmless, ...given.slice(harmless.length)]],
    ...words.flatMap((word, index): [string, Change][] => {
      const value = word.replaceAll("'", '')
      const other = value === '0' ? '1' : value === '1' ? '0' : `${value}0`
      return index < 2
        ? []
        : [
            [`without ${value}`, given => given.filter((_, at) => at !== index)],
            ...(/^\d+$/.test(value)
              ? ([
                  [`another ${value}`, given => given.map((one, at) => (at === index ? other : one))],
                ] satisfies [string, Change][])
              : []),
          ]
    }),
  ]
}

t.test('no command of the driver can be another one without the contract failing', async t => {
  const shapes = new Map<string, { readonly words: readonly string[]; readonly given: Set<Variant> }>()
  for (const variant of variants) {
    const record: Alter = line =>
      line.replace(commands, command => {
        const shape = shapeOf(command)
        const known = shapes.get(shape) ?? { words: wordsOf(command), given: new Set() }
        known.given.add(variant)
        shapes.set(shape, known)
        return command
      })
    await t.test(`${variant.clean.kind}, ${variant.ends}`, t => everything(t, variant, record, sound))
  }
  t.ok(shapes.size > 20, `${shapes.size} commands`)
  for (const [shape, { words, given }] of shapes) {
    for (const [name, change] of mutantsOf(words)) {
      const alter: Alter = line =>
        line.replace(commands, command =>
          shapeOf(command) === shape ? change(wordsOf(command)).join(' ') : command,
        )
      await t.test(`${shape}: ${name}`, async t => {
        t.ok(await isSeen(t, given, alter), 'it is seen')
      })
    }
  }
})

async function isSeen(t: Test, given: Iterable<Variant>, alter: Alter): Promise<boolean> {
  for (const variant of given) {
    try {
      await everything(t, variant, alter)
    } catch {
      return true
    }
  }
  return false
}
