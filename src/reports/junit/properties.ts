import { formatMeasured } from '../../config/units.js'
import type { EnvironmentState, RunState, TestState } from '../../journal/state.js'
import { requiredLeftOut } from '../../plan/left-out.js'
import { cleanXmlLine } from '../clean.js'
import { attachmentPath, mostUsefulFirst } from './attachments.js'

type Property = readonly [name: string, value: string]

const longestValue = 500
const mostFacts = 100

/** What a suite's environment is: its pairing, what was observed of it, and of which run. */
export function suiteProperties(
  state: RunState,
  { planned, instances }: EnvironmentState,
  test: TestState | undefined,
): readonly Property[] {
  const { guest, hypervisor, configuration, leftOut } = planned
  const ready = instances.findLast(one => one.ready !== null && one.peer === null)?.ready
  const properties: Property[] = [
    ['run', state.run ?? ''],
    ['lab', state.lab],
    ...(state.harness === null ? [] : ([['harness', state.harness]] as const)),
    ...Object.entries(state.labels).map(([name, value]): Property => [`label.${name}`, value]),
    ['plan.digest', state.planDigest],
    ['environment', planned.id],
    ['guest', `${guest.product} ${guest.version}${guest.edition === null ? '' : ` ${guest.edition}`}`],
    ['guest.arch', guest.arch],
    ['hypervisor', `${hypervisor.product} ${hypervisor.version}`],
    ['configuration', configuration.name],
    ['emulated', String(planned.emulated)],
    // Of a plan that an older version made, nobody knows.
    ...(leftOut.every(({ level }) => level !== undefined)
      ? ([['left-out.required', String(requiredLeftOut(planned))]] as const)
      : []),
    ...(test === undefined
      ? []
      : ([
          ['suite.version', test.planned.suiteVersion],
          ['suite.digest', test.planned.suiteDigest],
        ] as const)),
    ...(planned.peer === undefined ? [] : ([['peer', planned.peer.id]] as const)),
    ...instances.map(
      ({ id, host, peer }): Property => [peer === null ? 'instance' : 'instance.peer', `${id} on ${host}`],
    ),
    ...instances.flatMap(({ id, unexpected }) =>
      unexpected.map(({ type, at, text }): Property => [`instance.${type}`, `${id} at ${at}: ${text}`]),
    ),
    ...Object.entries(ready?.facts ?? {})
      .slice(0, mostFacts)
      .map(([name, value]): Property => [`fact.${name}`, value]),
    ...hostFacts(state, instances),
  ]
  return properties.map(clean)
}

/** What the hosts that served an environment showed of themselves. */
function hostFacts({ hosts }: RunState, instances: EnvironmentState['instances']): readonly Property[] {
  const served = new Set(instances.map(({ host }) => host))
  const seen = new Map(hosts.filter(({ host }) => served.has(host)).map(({ host, facts }) => [host, facts]))
  return [...seen].flatMap(([host, facts]) =>
    Object.entries(facts)
      .slice(0, mostFacts)
      .map(([name, value]): Property => [`host.${host}.${name}`, value]),
  )
}

/** What a test is, how often it was tried, and where the lossless record of it is. */
export function caseProperties(
  test: TestState,
  environment: EnvironmentState,
  attachments: string | undefined,
): readonly Property[] {
  const { planned, attempts, decisive, verdict, cause } = test
  const instance = environment.instances.find(({ id }) => id === decisive?.instance)
  const files = mostUsefulFirst(decisive?.evidence ?? []).slice(0, mostFacts)
  const properties: Property[] = [
    ['title', planned.title],
    ['test', planned.id],
    ...Object.entries(planned.parameters ?? {}).map(
      ([name, value]): Property => [`parameter.${name}`, String(value)],
    ),
    ['level', planned.level],
    ...(planned.provenOn === undefined ? [] : ([['proven-on', planned.provenOn]] as const)),
    ['verdict', verdict],
    ...(cause === null ? [] : ([['cause', cause]] as const)),
    ...(attempts.length === 0 ? [] : ([['attempt', String(attempts.length)]] as const)),
    ...(instance === undefined ? [] : ([['instance', `${instance.id} on ${instance.host}`]] as const)),
    ...(decisive?.step == null ? [] : ([['step', decisive.step]] as const)),
    ...(test.flaky ? ([['flaky', 'true']] as const) : []),
    ...planned.requirements.map((id): Property => ['requirement', id]),
    ...Object.entries(decisive?.measures ?? {}).map(
      ([name, { value, unit }]): Property => [`measure.${name}`, `${formatMeasured(value)} ${unit}`],
    ),
    ...files.map(({ path, sha256 }): Property => ['evidence.sha256', `${sha256}  ${path}`]),
    ...files.flatMap(({ path }): Property[] => {
      const attached = attachmentPath(attachments, path)
      return attached === null ? [] : [['attachment', attached]]
    }),
  ]
  return properties.map(clean)
}

function clean([name, value]: Property): Property {
  return [cleanXmlLine(name, longestValue), cleanXmlLine(value, longestValue)]
}
