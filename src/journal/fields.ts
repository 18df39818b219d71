import type { EventBody, EventStamp } from './events.js'
import { wrongPart } from './parts.js'

/** What a field must be; `?` may be `null`. */
type Kind = 'string' | 'number' | 'boolean' | 'object' | 'array' | 'string?'

const stamp: Record<keyof EventStamp, Kind> = {
  v: 'number',
  seq: 'number',
  epoch: 'number',
  at: 'string',
  ms: 'number',
}

/** The fields that every event of a type must have. Others may come without a new version. */
const required: Record<EventBody['type'], Readonly<Record<string, Kind>>> = {
  'run-opened': { run: 'string', planDigest: 'string', expected: 'number', lab: 'string', harness: 'string' },
  'session-started': { session: 'string', runner: 'string' },
  'host-observed': { host: 'string', facts: 'object' },
  'instance-started': { environment: 'string', instance: 'string', host: 'string', attempt: 'number' },
  'instance-ready': { environment: 'string', instance: 'string', bootIdentity: 'string', facts: 'object' },
  'instance-failed': { environment: 'string', instance: 'string', cause: 'string', message: 'string' },
  'instance-moved': { environment: 'string', instance: 'string', from: 'string', to: 'string' },
  'instance-restarted': { environment: 'string', instance: 'string', cause: 'string', reason: 'string' },
  'lease-awaited': { environment: 'string', instance: 'string', machine: 'string', owner: 'string' },
  'lease-taken': { environment: 'string', instance: 'string', machine: 'string', token: 'number' },
  waiting: { environment: 'string', what: 'string', since: 'string' },
  'test-started': { environment: 'string', test: 'string', attempt: 'number', instance: 'string' },
  check: { environment: 'string', test: 'string', attempt: 'number', state: 'string', text: 'string' },
  'test-ended': {
    environment: 'string',
    test: 'string',
    attempt: 'number',
    instance: 'string?',
    verdict: 'string',
    reason: 'string',
    durationMs: 'number',
    checks: 'object',
    evidence: 'array',
    final: 'boolean',
  },
  'instance-ended': {
    environment: 'string',
    instance: 'string',
    undone: 'array',
    orphan: 'string?',
    kept: 'boolean',
    evidence: 'array',
  },
  'host-set-aside': { host: 'string', failures: 'number', reason: 'string' },
  'environment-moved': { environment: 'string', from: 'string', to: 'string', reason: 'string' },
  'environment-ended': { environment: 'string' },
  'run-closed': { counts: 'object', flaky: 'number', exitCode: 'number', interrupted: 'boolean' },
}

/** The words that a field may hold, where others would be misread. */
const words: Readonly<Record<string, readonly string[]>> = {
  verdict: ['pass', 'fail', 'error', 'skip', 'blocked', 'not-run'],
  state: ['ok', 'not-ok', 'todo', 'skip'],
  cause: ['guest', 'host', 'network', 'runner', 'test', 'unknown'],
}

/** Why a parsed line is not an event, or `null` if it is one. */
export function missingField(line: Readonly<Record<string, unknown>>): string | null {
  const type = line.type
  if (typeof type !== 'string') return "the event has no 'type'"
  const fields = Object.hasOwn(required, type) ? required[type as EventBody['type']] : undefined
  if (fields === undefined) return `there is no event '${type.slice(0, 40)}'`
  for (const [name, kind] of [...Object.entries(stamp), ...Object.entries(fields)]) {
    if (!isKind(line[name], kind)) return `the event '${type}' needs '${name}' as ${described[kind]}`
  }
  const wrong = wrongPart(line)
  if (wrong !== null) return `the event '${type}' has '${wrong}' in another form`
  for (const [name, allowed] of Object.entries(words)) {
    const value = line[name]
    if (value !== undefined && !allowed.includes(String(value))) {
      return `the event '${type}' has '${name}' as '${String(value).slice(0, 40)}', expected ${allowed.join(', ')}`
    }
  }
  return null
}

const described: Record<Kind, string> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  'string?': 'a text or null',
}

function isKind(value: unknown, kind: Kind): boolean {
  if (kind === 'array') return Array.isArray(value)
  if (kind === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  if (kind === 'string?') return value === null || typeof value === 'string'
  if (kind === 'number') return Number.isFinite(value)
  return typeof value === kind
}
