import type { Exit } from './events.js'

type Test = (value: unknown) => boolean

const isText: Test = value => typeof value === 'string'
const isNumber: Test = value => Number.isFinite(value)
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const eachIs =
  (test: Test): Test =>
  value =>
    (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [null]).every(test)

/** UTC with ms, as every event is stamped. */
const isMoment: Test = value =>
  isText(value) && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(String(value))
const isCount: Test = value => Number.isInteger(value) && Number(value) >= 0

const exits: Readonly<Record<Exit['kind'], Readonly<Record<string, Test>>>> = {
  code: { code: isNumber },
  signal: { signal: isText },
  lost: {},
  unproven: { why: isText },
  limit: { limit: isText, limitMs: isNumber },
}

const isExit: Test = value =>
  isObject(value) &&
  Object.hasOwn(exits, String(value.kind)) &&
  Object.entries(exits[value.kind as Exit['kind']]).every(([name, test]) => test(value[name]))

const isEvidence: Test = value =>
  isObject(value) &&
  isText(value.path) &&
  isText(value.sha256) &&
  isCount(value.bytes) &&
  (value.cutBytes === undefined || isCount(value.cutBytes))

const isMeasure: Test = value => isObject(value) && isNumber(value.value) && isText(value.unit)

const isDigest: Test = value => isText(value) && /^[0-9a-f]{64}$/.test(String(value))

const isCertify: Test = value =>
  isObject(value) && isDigest(value.registration) && isDigest(value.harnessDigest)

const isParent: Test = value =>
  isObject(value) && [value.run, value.planDigest, value.journal, value.shard].every(isText)

/** What the parts of an event must be, wherever they are. */
const parts: Readonly<Record<string, Test>> = {
  at: isMoment,
  since: isMoment,
  until: isMoment,
  evidence: eachIs(isEvidence),
  checks: eachIs(isCount),
  counts: eachIs(isCount),
  measures: eachIs(isMeasure),
  facts: eachIs(isText),
  undone: eachIs(isText),
  exit: isExit,
  certify: isCertify,
  step: isText,
  diagnostics: isText,
  parents: eachIs(isParent),
  labels: value => isObject(value) && Object.values(value).every(isText),
  endedEarly: isText,
  stderr: isText,
  hostKey: value => value === null || isText(value),
}

/** The name of a field whose inside is not what it should be, or `null`: a journal may be a stranger's. */
export function wrongPart(event: Readonly<Record<string, unknown>>): string | null {
  for (const [name, test] of Object.entries(parts)) {
    if (event[name] !== undefined && !test(event[name])) return name
  }
  return null
}
