import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Which tests a run takes: those of every day, those against real components, or the proofs of whole suites. */
export type TestKind = 'unit' | 'real' | 'proof'

const folders = ['dist/src', 'dist/emulator', 'dist/suites', 'dist/test', 'dist/scripts', 'dist/bench']

/** The compiled test files of a kind whose path contains one of the filters; without filters, all of them. */
export async function testFiles(kind: TestKind, filters: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const folder of folders) {
    const names = await readdir(folder, { recursive: true }).catch(() => [])
    found.push(...names.filter(name => name.endsWith('.test.js')).map(name => join(folder, name)))
  }
  return found
    .filter(name => kindOf(name) === kind)
    .filter(name => filters.length === 0 || filters.some(filter => name.includes(compiled(filter))))
    .sort()
}

/** A filter may be the path of the source file. */
function compiled(filter: string): string {
  return filter.replace(/^\.\//, '').replace(/\.ts$/, '.js')
}

function kindOf(name: string): TestKind {
  const ending = /\.(real|proof)\.test\.js$/.exec(name)?.[1]
  return ending === 'real' || ending === 'proof' ? ending : 'unit'
}

/**
 * What needs a process of its own: tests that start programs or servers, change the process, or leave something to be
 * removed when their file has ended.
 */
const needsProcess =
  /process\.(env|chdir|exit|on|once|std|emit)|child_process|worker_threads|execa|\.test\.(fixture|helper)|ssh2|web-tree-sitter|emulator\/|node:net|cli-io|^(await )?t\.(teardown|testdir|before|after|chdir|plan|end|bailout|intercept|capture|jobs)\b/m

/** Splits files into groups that share a process each: starting Node and tap costs more than most files do. */
export async function groupFiles(files: readonly string[], groupSize: number): Promise<string[][]> {
  const shared: string[] = []
  const groups: string[][] = []
  for (const file of files) {
    // What stands in test/ drives the whole program.
    if (file.startsWith('dist/test/') || needsProcess.test(await readFile(file, 'utf8'))) {
      groups.push([file])
    } else {
      shared.push(file)
    }
  }
  for (let start = 0; start < shared.length; start += groupSize) {
    groups.push(shared.slice(start, start + groupSize))
  }
  return groups
}
