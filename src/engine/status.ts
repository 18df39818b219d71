import type { CommandResult } from '../remote/index.js'

/** Throws Error, which says what the command said, unless it ended with status 0. */
export function demandStatus0({ exit, stderr }: CommandResult, otherwise: string): void {
  if (exit.kind !== 'code' || exit.code !== 0) {
    const said = stderr.text.trim().slice(0, 200)
    throw new Error(`${otherwise}: ${said === '' ? `the end was ${JSON.stringify(exit)}` : said}`)
  }
}
