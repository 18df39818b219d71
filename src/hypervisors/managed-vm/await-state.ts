import { setTimeout as wait } from 'node:timers/promises'
import { InfraError } from '../../config/errors.js'
import type { Expectation, Sent, VmBackend } from './backend.js'
import type { Observation } from './observation.js'

/** What it takes to see whether a command was carried out. */
export type Observed = Pick<VmBackend, 'observe' | 'instance' | 'limits'>

/** What a command gave, and what showed that it was carried out. */
export interface Shown<T> {
  readonly value: T
  readonly seen: Observation | null
}

/** Waits until a command that was sent is seen to have been carried out. Throws InfraError. */
export async function awaitSent<T>(
  vm: Observed,
  command: Promise<Sent<T>>,
  signal: AbortSignal,
): Promise<Shown<T>> {
  const { value, shows, finish } = await command
  const seen = shows === null ? null : await awaitState(vm, shows, signal)
  await finish?.(signal)
  return { value, seen }
}

/**
 * Looks at a virtual machine until it shows what a command was to bring about. Throws InfraError (`limit`) with what was
 * seen last.
 */
export async function awaitState(
  { observe, instance, limits }: Observed,
  expectation: Expectation,
  signal: AbortSignal,
): Promise<Observation> {
  const { limit, devices = false } = expectation
  const startedAt = performance.now()
  for (;;) {
    const seen = await observe({ devices }, signal)
    if (expectation.holds(seen)) {
      return seen
    }
    if (seen.question !== undefined) {
      throw failure(instance, expectation, seen, `the host waits for an answer: ${seen.question}`)
    }
    if (limit === null || performance.now() - startedAt > limit.ms) {
      if (expectation.settlesFor?.(seen) === true) {
        return seen
      }
      throw failure(instance, expectation, seen, null)
    }
    await wait(limits.lookEvery.ms, undefined, { signal })
  }
}

function failure(
  where: string,
  { what, cause, limit, said = '' }: Expectation,
  seen: Observation,
  question: string | null,
): InfraError {
  const subject = cause === 'guest' ? 'the guest' : 'the host'
  const within = limit === null || question !== null ? '' : ` within ${limit.name} (${limit.ms} ms)`
  const words = [question, describe(seen), said.trim()].filter(part => part !== null && part !== '')
  return new InfraError(
    `${where} on ${seen.host}: ${subject} did not ${what}${within}: ${words.join('; ')}`,
    {
      cause: question === null ? cause : 'host',
      where,
      ...(limit === null || question !== null
        ? { code: 'command' as const }
        : { code: 'limit' as const, limit: limit.name }),
    },
  )
}

function describe({ said, devices }: Observation): string {
  const has = [
    ...(devices === null || devices.vcpus === null ? [] : [`${devices.vcpus} vCPUs`]),
    ...(devices === null || devices.memoryBytes === null ? [] : [`${devices.memoryBytes / 1024} KiB`]),
  ]
  return has.length === 0 ? `it is ${said}` : `it is ${said} and has ${has.join(' and ')}`
}
