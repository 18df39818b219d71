import { createRequire } from 'node:module'
import { dirname, posix, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import vm from 'node:vm'
import * as api from '../../../api/index.js'
import { findImport } from '../../../plan/modules/imports.js'
import { moduleParameters, wrapAsync } from '../../../plan/modules/run-code.js'
import type { ModuleCode } from '../../../plan/suite.js'

/** Loads a module and returns its default export. */
export async function loadCode(code: ModuleCode): Promise<unknown> {
  if (code.kind === 'file') {
    return ((await import(pathToFileURL(code.path).href)) as { default?: unknown }).default
  }
  return ((await loaderOf(code)(code.entry)) as { default?: unknown }).default
}

/** Runs the compiled sources of a suite, each file once, under the names that people know them by. */
function loaderOf({
  folder,
  sources,
}: Extract<ModuleCode, { kind: 'sources' }>): (file: string) => Promise<object> {
  const loaded = new Map<string, { exports: object }>()

  /** Runs a file; the promise is that of code that awaits outside of functions, as only an entry may. */
  function load(file: string): { readonly exports: object; readonly running: Promise<void> | null } {
    const known = loaded.get(file)
    const source = sources[file]
    if (known !== undefined) {
      return { exports: known.exports, running: null }
    }
    if (source === undefined) {
      throw new Error(`${file} is not a file of this suite`)
    }
    const path = resolve(folder, file)
    const module = { exports: {} }
    loaded.set(file, module)
    if (posix.extname(file) === '.json') {
      module.exports = { default: JSON.parse(source), __esModule: true }
      return { exports: module.exports, running: null }
    }
    const native = createRequire(path)
    const require = (specifier: string): unknown => {
      const found = findImport(specifier, file, name => Object.hasOwn(sources, name))
      if (found.kind === 'api') return api
      return found.kind === 'file' ? load(found.file).exports : native(specifier)
    }
    const url = pathToFileURL(path).href
    const meta = { url, filename: path, dirname: dirname(path) }
    const running = compile(source, path)(module.exports, require, module, meta)
    return { exports: module.exports, running: running ?? null }
  }

  return async file => {
    const { exports, running } = load(file)
    await running
    return exports
  }
}

type Compiled = (...given: unknown[]) => Promise<void> | undefined

function compile(source: string, filename: string): Compiled {
  try {
    return vm.compileFunction(source, [...moduleParameters], { filename }) as Compiled
  } catch {
    return new vm.Script(wrapAsync(source), { filename }).runInThisContext() as Compiled
  }
}
