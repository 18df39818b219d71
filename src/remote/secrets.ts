import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InfraError } from '../config/errors.js'
import type { SecretReference } from '../config/model.js'
import { homeFolder } from '../config/this-machine.js'
import type { ConnectOptions } from './target.js'

/** Where references to secrets are looked up. */
export interface SecretSources {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly home: string
}

export function secretSources({ environment, home }: ConnectOptions): SecretSources {
  return { environment: environment ?? process.env, home: home ?? homeFolder() }
}

/** `~` and `~/x` made absolute. */
export function expandHome(path: string, home: string): string {
  return path === '~' ? home : path.startsWith('~/') ? join(home, path.slice(2)) : path
}

/**
 * The secret that a reference names, without the newline that editors leave at its end. Throws
 * InfraError (`authentication`), which names the reference and never the secret.
 */
export async function resolveSecret(
  reference: SecretReference,
  { what, where }: { readonly what: string; readonly where: string },
  sources: SecretSources,
): Promise<string> {
  const secret = await lookUp(reference, sources)
  if (typeof secret !== 'string') {
    throw missing(where, `${what} is to come from ${describe(reference)}, which ${secret.why}`)
  }
  const trimmed = secret.replace(/\r?\n$/, '')
  if (trimmed === '') {
    throw missing(where, `${what} is to come from ${describe(reference)}, which is empty`)
  }
  return trimmed
}

async function lookUp(
  reference: SecretReference,
  { environment, home }: SecretSources,
): Promise<string | { readonly why: string }> {
  if (reference.kind === 'env') {
    return environment[reference.name] ?? { why: 'is not set' }
  }
  try {
    return await readFile(expandHome(reference.path, home), 'utf8')
  } catch (error) {
    return { why: `cannot be read (${codeOf(error)})` }
  }
}

function describe(reference: SecretReference): string {
  return reference.kind === 'env'
    ? `the environment variable ${reference.name}`
    : `the file ${reference.path}`
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}

function missing(where: string, what: string): InfraError {
  return new InfraError(`${where}: ${what}`, { cause: 'runner', where, code: 'authentication' })
}
