import { readFile } from 'node:fs/promises'
import ts from 'typescript'
import { parse } from 'yaml'
import { z } from 'zod'

/** The list of deliberate breakages, from the project's root. */
export const breakagesFile = 'scripts/seeded-breakages.yaml'

const text = z.string().min(1)
const list = z.array(
  z.strictObject({
    /** What is no longer so. */
    breaks: text,
    /** A source file, from the project's root. */
    file: z.string().regex(/^src\/.+\.ts$/),
    /** Stands exactly once in it. */
    find: text,
    replace: z.string(),
    /** Test files that must notice, without their ending: one is enough, and they run in this order. */
    tests: z.array(text).min(1),
  }),
)

/** One deliberate breakage. */
export type Breakage = z.infer<typeof list>[number]

/** Reads the list. Throws for one that is not as it must be, or that names two breakages alike. */
export async function readBreakages(path: string): Promise<readonly Breakage[]> {
  const breakages = list.parse(parse(await readFile(path, 'utf8')))
  const names = new Set(breakages.map(({ breaks }) => breaks))
  if (names.size !== breakages.length) throw new Error(`${path} has two breakages of one name`)
  return breakages
}

/** The compiled text of a source file that is broken in one place, or why there is none. */
export function breakSource(
  source: string,
  { file, find, replace }: Pick<Breakage, 'file' | 'find' | 'replace'>,
): { readonly compiled: string } | { readonly why: string } {
  const times = source.split(find).length - 1
  if (times !== 1) return { why: `the place to break stands ${times} times in ${file}` }
  const { outputText, diagnostics = [] } = ts.transpileModule(
    source.replace(find, () => replace),
    {
      fileName: file,
      reportDiagnostics: true,
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
      },
    },
  )
  const [first] = diagnostics
  // A file that cannot be read is noticed by anybody.
  return first === undefined
    ? { compiled: outputText }
    : { why: `broken so it is not TypeScript: ${ts.flattenDiagnosticMessageText(first.messageText, ' ')}` }
}
