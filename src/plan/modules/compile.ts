import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join, posix, relative } from 'node:path'
import vm from 'node:vm'
import type { Mistake } from '../../config/errors.js'
import { findImport } from './imports.js'
import { moduleParameters, wrapAsync } from './run-code.js'

/** The modules of a suite to compile. */
export interface CompileRequest {
  /** The suite's folder, absolute. */
  readonly folder: string
  /** The modules that its tests name. */
  readonly entries: readonly string[]
  /** All files of the suite, relative to its folder. */
  readonly files: readonly string[]
}

/** JavaScript by the file that it was compiled from. */
export type Sources = Readonly<Record<string, string>>

interface Transpiled {
  readonly code: string
  readonly isAsync: boolean
}

/**
 * Compiles the modules of a suite and all that they import, line for line, so that what is executed is known when the
 * run is planned. Every mistake in them is added to `mistakes`.
 */
export async function compileModules(request: CompileRequest, mistakes: Mistake[]): Promise<Sources> {
  const { entries, files, folder } = request
  const known = new Set(files)
  const sources: Record<string, string> = {}
  const queue = entries.filter(file => known.has(file))
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    if (Object.hasOwn(sources, file)) {
      continue
    }
    const text = await readFile(join(folder, file), 'utf8')
    if (posix.extname(file) === '.json') {
      sources[file] = text
      continue
    }
    const found: Mistake[] = []
    const { code, isAsync } = await transpile(join(folder, file), file, text, found)
    if (isAsync && !entries.includes(file)) {
      found.push(
        mistakeAt(
          join(folder, file),
          text,
          /\bawait\b/,
          'only a test module may use await outside of functions',
        ),
      )
    }
    for (const specifier of importsOf(code)) {
      const target = findImport(specifier, file, name => known.has(name))
      if (target.kind === 'file') {
        queue.push(target.file)
      } else if (
        target.kind === 'missing' ||
        (target.kind === 'package' && !isInside(specifier, folder, file))
      ) {
        const what =
          target.kind === 'missing'
            ? `"${specifier}" is not a file of this suite`
            : `cannot import "${specifier}": a module may import guestcert/api, Node's own modules, and what is in its suite's folder`
        found.push(mistakeAt(join(folder, file), text, quoted(specifier), what))
      }
    }
    mistakes.push(...found)
    sources[file] = code
  }
  return sources
}

async function transpile(path: string, file: string, text: string, mistakes: Mistake[]): Promise<Transpiled> {
  const isTypeScript = /\.[mc]?ts$/.test(file)
  const { transform } = await import('sucrase')
  let code: string
  try {
    const transformed = transform(text, {
      transforms: isTypeScript ? ['typescript', 'imports'] : ['imports'],
      disableESTransforms: true,
    })
    code = transformed.code.replace(/\bimport\.meta\b/g, 'import_meta')
  } catch (error) {
    mistakes.push(syntaxMistake(path, error))
    return { code: '', isAsync: false }
  }
  try {
    vm.compileFunction(code, [...moduleParameters], { filename: path })
    return { code, isAsync: false }
  } catch (error) {
    try {
      new vm.Script(wrapAsync(code), { filename: path })
      return { code, isAsync: true }
    } catch {
      mistakes.push(engineMistake(path, error))
      return { code, isAsync: false }
    }
  }
}

/** A mistake as the compiler says it: `Error transforming …: Unexpected token (3:5)`. */
function syntaxMistake(file: string, error: unknown): Mistake {
  const { message, loc } = error as { message: string; loc?: { line: number; column: number } }
  const text = message.replace(/^Error transforming [^:]*: /, '').replace(/ \(\d+:\d+\)$/, '')
  return { place: { file, line: loc?.line ?? 1, column: loc?.column ?? 1 }, message: text }
}

/** A mistake as V8 says it: `file:line`, the line, and a caret below it. */
function engineMistake(file: string, error: unknown): Mistake {
  const { stack = '', message } = error as Error
  const [first = '', , caret = ''] = stack.split('\n')
  const line = Number(/:(\d+)$/.exec(first)?.[1] ?? 1)
  return { place: { file, line, column: Math.max(1, caret.indexOf('^') + 1) }, message }
}

function mistakeAt(file: string, text: string, pattern: RegExp, message: string): Mistake {
  const at = text.search(pattern)
  const before = text.slice(0, Math.max(0, at))
  const line = before.split('\n').length
  return { place: { file, line, column: before.length - before.lastIndexOf('\n') }, message }
}

function quoted(specifier: string): RegExp {
  return new RegExp(`['"\`]${specifier.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}['"\`]`)
}

/** What the compiled code requires, as the compiler writes it for every import. */
function importsOf(code: string): string[] {
  const imports = code.matchAll(
    /(?:^|[;{}\n]\s*|\bvar _\w+ = |_interopRequireWildcard\()require\((['"])([^'"\n]+)\1\)/g,
  )
  return [...new Set([...imports].map(([, , specifier = '']) => specifier))]
}

/** A package that the suite carries with it is covered by its digest. */
function isInside(specifier: string, folder: string, file: string): boolean {
  try {
    const resolved = createRequire(join(folder, file)).resolve(specifier)
    return !relative(folder, resolved).startsWith('..')
  } catch {
    return false
  }
}
