import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

const path = 'node_modules/.cache/guestcert/test-seconds.json'

/** How long each test file took when it last ran, by path. */
export type FileSeconds = Readonly<Record<string, number>>

/** Reads what earlier runs wrote down; nothing if there was none. */
export async function readTimes(): Promise<FileSeconds> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as FileSeconds
  } catch {
    return {}
  }
}

/** Adds what a run took to what is known. */
export async function recordTimes(times: FileSeconds): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `${JSON.stringify({ ...(await readTimes()), ...times }, null, 2)}\n`)
}

/** Puts the longest first, so that none of them is left to run alone at the end. */
export function longestFirst(groups: readonly string[][], times: FileSeconds): string[][] {
  const seconds = (group: readonly string[]): number =>
    group.reduce((sum, file) => sum + (times[file] ?? guess(file)), 0)
  return [...groups].sort((a, b) => seconds(b) - seconds(a))
}

/** On a fresh checkout: tests that drive the whole program take longest, then those of the emulator and its hosts. */
function guess(file: string): number {
  if (file.startsWith('dist/test/')) {
    return 20
  }
  return /emulator|hypervisors/.test(file) ? 5 : 1
}
