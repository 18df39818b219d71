import { withoutParameters } from '../src/config/parameters.js'
import type { Proof, Suite, SuiteTest } from '../src/plan/suite.js'
import { builtinSuites, loadSuites } from '../src/plan/suites.js'

/** `docs/suites.md`: every shipped test, what it is for, and on what it is shown to pass and to fail. */
export async function suitesPage(folder = builtinSuites): Promise<string> {
  const suites = await loadSuites([folder], null)
  return [
    '# The shipped suites',
    '',
    '<!-- Made by "npm run generate" from the manifests: edit those. -->',
    '',
    'Each test below is shown to be able to fail: `guestcert prove` runs it on emulated guests on which it must pass,',
    'and on mutants of them, in which the one thing that it looks for is broken, on which it must fail. Emulated guests',
    'certify nothing; what was also confirmed on a real guest says so.',
    ...suites.flatMap(suitePart),
    '',
  ].join('\n')
}

function suitePart({ id, version, title, tests }: Suite): string[] {
  const entries = [...new Set(tests.map(test => withoutParameters(test.id)))]
  const parts = entries.flatMap(name =>
    testPart(
      name,
      tests.filter(test => withoutParameters(test.id) === name),
    ),
  )
  return ['', `## ${id} ${version}`, '', `${title}.`, ...parts]
}

/** One entry of a manifest: all of its tests, which differ in their parameters alone. */
function testPart(id: string, all: readonly SuiteTest[]): string[] {
  const [test] = all
  if (test === undefined) {
    return []
  }
  const { title, why, requirements, level, proof, measures, needs } = test
  const needed = [
    ...needs.configuration.map(key => `\`${key}\` in the configuration`),
    ...needs.host.map(ability => `a host that can \`${ability}\``),
    ...needs.locks.map(lock => `the lock \`${lock}\` of the host`),
    ...needs.guest.map(() => 'a guest that may be rebooted'),
  ]
  const measured = Object.entries(measures).map(([name, unit]) => `\`${name}\` (${unit})`)
  const passes = proof?.passesOn.map(persona => `\`${persona}\``) ?? []
  const mutants = proof?.mutants.map(mutant => `\`${mutant}\``) ?? []
  const unbootable = proof?.breakBoot.map(mutant => `\`${mutant}\``) ?? []
  return [
    '',
    `### \`${id}\``,
    '',
    `${title}.${why === null ? '' : ` ${why}`}`,
    '',
    `- ${level}, for ${requirements.join(', ')}`,
    ...(test.parameters === undefined
      ? []
      : [`- a test each: ${all.map(one => `\`${one.id.slice(id.length)}\``).join(', ')}`]),
    ...(needed.length === 0 ? [] : [`- needs ${needed.join(', ')}`]),
    ...(measured.length === 0 ? [] : [`- measures ${measured.join(', ')}`]),
    ...(proof === null
      ? ['- not proven']
      : [
          `- passes on ${passes.join(', ')}; fails on ${mutants.join(', ')}`,
          ...(unbootable.length === 0
            ? []
            : [`- \`guestcert/boot\` does not pass on ${unbootable.join(', ')}`]),
          `- proven on: ${provenOn(proof)}`,
        ]),
  ]
}

/** Families of guests, and how their personas' names begin. */
const families = [
  { family: 'linux', title: 'Linux', isOne: (persona: string) => !persona.startsWith('windows-') },
  { family: 'windows', title: 'Windows', isOne: (persona: string) => persona.startsWith('windows-') },
] as const

function provenOn({ passesOn, real }: Proof): string {
  return families
    .filter(({ isOne }) => passesOn.some(isOne))
    .map(({ family, title }) => {
      const systems = real[family]
      return systems === undefined
        ? `emulated ${title} guests alone`
        : `real ${title} (${systems.join(', ')})`
    })
    .join('; ')
}
