import { resolve } from 'node:path'
import { ownSuite } from '../plan/boot.js'
import { loadSuites } from '../plan/suites.js'
import type { LeftOut, Plan, PlannedEnvironment } from '../plan/types.js'
import { openDrivers } from '../run/drivers.js'
import { answer, lines, type Paper } from './answer.js'
import { type CommandIo, type ParsedArgs, requiredArgument, textFlag } from './args.js'
import { chosenPlan } from './chosen-plan.js'
import { cacheFolder } from './folders.js'
import { loadLab } from './load-lab.js'
import type { Table } from './table.js'
import { whoAmI } from './who.js'

const shownDigestLength = 16

/** `guestcert plan LAB`: what a pass would run, and why the rest is left out. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const lab = await loadLab(resolve(io.cwd, requiredArgument(args, 'LAB')), io)
  const suites = await loadSuites(lab.suites, lab.file)
  const drivers = openDrivers(lab, cacheFolder())
  const requester = { who: whoAmI(args, io.env), nowMs: Date.now() }
  const reports = resolve(io.cwd, textFlag(args, 'reports') ?? 'reports')
  const { abilitiesOf } = drivers
  const plan = await chosenPlan(args, { lab, suites, abilitiesOf, requester, reports, cwd: io.cwd })
  await drivers.close()
  const { digest, expected, environments, reserved = [], shard } = plan
  answer(args, io, {
    value: { digest, expected, environments, reserved, shard },
    text: paper => planText(plan, [ownSuite, ...suites.map(({ id }) => id)], paper),
    quiet: () => lines(environments.map(({ id }) => id)),
  })
  return 0
}

function planText(plan: Plan, suites: readonly string[], paper: Paper): string {
  const { bold } = paper.colors
  const section = (title: string, texts: readonly string[]): string =>
    texts.length === 0 ? '' : `\n${bold(title)}\n${texts.join('')}`
  const reserved = (plan.reserved ?? []).map(({ id, why }) =>
    paper.indented([
      [id, 1],
      [why, 2],
    ]),
  )
  return [
    `${paper.indented([[heading(plan, bold), 0]])}\n${paper.table(matrix(plan, suites))}`,
    section('Left out, as others have reserved the host', reserved),
    ...leftOutTitles.map(([title, isOfIt]) =>
      section(
        title,
        leftOut(plan, isOfIt).map(({ tests, reasons }) =>
          paper.indented([[tests, 1], ...reasons.map(({ why, where }) => [`${why} (${where})`, 2] as const)]),
        ),
      ),
    ),
  ].join('')
}

function heading(
  { lab, expected, environments, digest, shard }: Plan,
  bold: (text: string) => string,
): string {
  const counted = `${expected} tests in ${environments.length} environment${environments.length === 1 ? '' : 's'}`
  const part = shard === undefined ? '' : ` · part ${shard.index} of ${shard.of}`
  return `${bold(`lab ${lab}`)}${part} · ${counted} · digest ${digest.slice(0, shownDigestLength)}`
}

function matrix({ environments }: Plan, suites: readonly string[]): Table {
  const headings = ['ENVIRONMENT', 'HOSTS', ...suites, '']
  const rows = environments.map(environment => [
    environment.id,
    environment.hosts.join(' '),
    ...suites.map(suite => cell(environment, suite)),
    environment.emulated ? 'emulated' : '',
  ])
  return { headings, rows }
}

/** The planned tests of a suite, and of how many that apply. */
function cell({ tests, leftOut: left }: PlannedEnvironment, suite: string): string {
  const planned = tests.filter(test => test.suite === suite).length
  const unable = left.filter(({ test, kind }) => suiteOf(test) === suite && kind !== 'not-applicable').length
  const all = planned + unable
  return all === 0 ? '-' : unable === 0 ? String(planned) : `${planned} of ${all}`
}

interface LeftOutGroup {
  readonly tests: string
  readonly reasons: readonly { readonly why: string; readonly where: string }[]
}

/** What could have been tested comes before what is not for such a guest. */
const leftOutTitles: readonly (readonly [string, (left: LeftOut) => boolean])[] = [
  ['Left out', ({ kind }) => kind !== 'not-applicable'],
  ['Does not apply', ({ kind }) => kind === 'not-applicable'],
]

/** The same tests left out for the same reason are said once, and all tests of a suite by the name of the suite. */
function leftOut({ environments }: Plan, isOfIt: (left: LeftOut) => boolean): LeftOutGroup[] {
  const reasons = new Map<string, { tests: Set<string>; ids: Set<string> }>()
  for (const { id, leftOut: left } of environments) {
    for (const { test, why } of left.filter(isOfIt)) {
      const group = reasons.get(why) ?? { tests: new Set(), ids: new Set() }
      group.tests.add(test)
      group.ids.add(id)
      reasons.set(why, group)
    }
  }
  const sizes = suiteSizes(environments)
  const groups = new Map<string, { why: string; where: string }[]>()
  for (const [why, { tests, ids }] of reasons) {
    const named = wholeSuites([...tests], sizes).join(', ')
    const where = ids.size === 1 ? [...ids].join('') : `${ids.size} environments`
    groups.set(named, [...(groups.get(named) ?? []), { why, where }])
  }
  return [...groups].map(([tests, found]) => ({ tests, reasons: found }))
}

/** How many tests each suite has. */
function suiteSizes(environments: readonly PlannedEnvironment[]): ReadonlyMap<string, number> {
  const tests = environments.flatMap(environment => [
    ...environment.tests.map(({ id }) => id),
    ...environment.leftOut.map(({ test }) => test),
  ])
  return countOfSuites([...new Set(tests)])
}

function countOfSuites(tests: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const test of tests) {
    counts.set(suiteOf(test), (counts.get(suiteOf(test)) ?? 0) + 1)
  }
  return counts
}

function suiteOf(test: string): string {
  return test.slice(0, test.indexOf('/'))
}

function wholeSuites(tests: readonly string[], sizes: ReadonlyMap<string, number>): string[] {
  const counts = countOfSuites(tests)
  const isWhole = (test: string): boolean => counts.get(suiteOf(test)) === sizes.get(suiteOf(test))
  return [...new Set(tests.map(test => (isWhole(test) ? `all of ${suiteOf(test)}` : test)))]
}
