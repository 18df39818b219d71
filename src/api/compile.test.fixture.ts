import { join } from 'node:path'
import ts from 'typescript'
import { packageRoot } from '../config/package-root.js'

/** What is wrong with each of some modules, as the compiler has it: `TS2345: …`. */
export type Mistakes = ReadonlyMap<string, readonly string[]>

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  noEmit: true,
  types: ['node'],
  typeRoots: [join(packageRoot, 'node_modules/@types')],
  paths: { 'guestcert/api': [join(packageRoot, 'src/api/index.ts')] },
}

/** Checks the types of modules that exist as texts alone, and of files, in one program. */
export function compile(texts: Readonly<Record<string, string>>, files: readonly string[] = []): Mistakes {
  const virtual = new Map(Object.entries(texts).map(([name, text]) => [pathOf(name), text]))
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = path => virtual.has(path) || fileExists(path)
  host.readFile = path => virtual.get(path) ?? readFile(path)
  host.getSourceFile = (path, language, ...rest) => {
    const text = virtual.get(path)
    return text === undefined
      ? getSourceFile(path, language, ...rest)
      : ts.createSourceFile(path, text, language, true)
  }
  const program = ts.createProgram([...virtual.keys(), ...files], options, host)
  const mistakesOf = (path: string): string[] => {
    const source = program.getSourceFile(path)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ code, messageText }) => `TS${code}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    )
  }
  return new Map([
    ...Object.keys(texts).map(name => [name, mistakesOf(pathOf(name))] as const),
    ...files.map(file => [file, mistakesOf(file)] as const),
  ])
}

function pathOf(name: string): string {
  return join(packageRoot, 'fixtures', `${name.replace(/\W+/g, '-')}.virtual.ts`)
}
