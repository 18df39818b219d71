import { isAbsolute, relative } from 'node:path'

/** A path as people are shown it: from the working directory where it lies below it, else absolute. */
export function shownPath(path: string): string {
  const short = relative(process.cwd(), path)
  return short === '' || short.startsWith('..') || isAbsolute(short) ? path : short
}
