import { readChecked } from '../../config/read-checked.js'
import { digestOf } from '../canonical.js'
import { type Policy, policySchema } from './schema.js'

/** A policy, and the SHA-256 over its canonical JSON: comments and order of keys change nothing. */
export interface LoadedPolicy {
  readonly policy: Policy
  readonly digest: string
}

/** Reads a policy. @throws UsageError, ConfigError */
export async function loadPolicy(file: string): Promise<LoadedPolicy> {
  const policy = await readChecked(file, policySchema)
  return { policy, digest: digestOf(policy) }
}
