import { isBuiltin } from 'node:module'
import { posix } from 'node:path'

/** What an import of a suite's module names. */
export type FoundImport =
  | { readonly kind: 'api' }
  /** A file of the suite, relative to its folder. */
  | { readonly kind: 'file'; readonly file: string }
  /** One of Node's own modules, or a package in the suite's own node_modules. */
  | { readonly kind: 'node' }
  | { readonly kind: 'package' }
  | { readonly kind: 'missing' }

/** TypeScript is imported under the names of the JavaScript that it becomes, too. */
const written: readonly (readonly [as: RegExp, is: string])[] = [
  [/\.js$/, '.ts'],
  [/\.mjs$/, '.mts'],
  [/\.cjs$/, '.cts'],
  [/$/, '.ts'],
  [/$/, '.js'],
  [/\/?$/, '/index.ts'],
  [/\/?$/, '/index.js'],
]

/** Finds what `specifier` names in `file`, a file of a suite whose files `has` knows. */
export function findImport(specifier: string, file: string, has: (file: string) => boolean): FoundImport {
  if (specifier === 'guestcert/api') {
    return { kind: 'api' }
  }
  if (isBuiltin(specifier)) {
    return { kind: 'node' }
  }
  if (!/^\.{1,2}(\/|$)/.test(specifier)) {
    return { kind: 'package' }
  }
  const path = posix.join(posix.dirname(file), specifier)
  if (has(path)) {
    return { kind: 'file', file: path }
  }
  const found = written
    .filter(([as]) => as.test(path))
    .map(([as, is]) => path.replace(as, is))
    .find(has)
  return found === undefined ? { kind: 'missing' } : { kind: 'file', file: found }
}
