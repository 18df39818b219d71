import { relative, sep } from 'node:path'
import type { Evidence } from '../../journal/events.js'

/** What a person looks at first, by the end of a file's name. */
const usefulFirst = [/\.stderr\.txt$/, /\.stdout\.txt$/, /\.commands\.txt$/, /console/i]

/** Evidence with what says most of a failure first: a reader that shows one attachment shows the first. */
export function mostUsefulFirst(evidence: readonly Evidence[]): readonly Evidence[] {
  const rank = ({ path }: Evidence): number => {
    const found = usefulFirst.findIndex(pattern => pattern.test(path))
    return found === -1 ? usefulFirst.length : found
  }
  return evidence.toSorted((a, b) => rank(a) - rank(b))
}

/** Where a reader that starts from the workspace finds a file of the run; `null` when it cannot be named. */
export function attachmentPath(folder: string | undefined, path: string): string | null {
  return folder === undefined || /[\]\n|]/.test(path) ? null : `${folder}/${path}`
}

/**
 * The attachments of one suite. Jenkins copies all files of a class into one folder under their own names: a second
 * file of a name would take the first one's place, and is not attached.
 */
export class AttachmentNames {
  readonly #folder: string | undefined
  readonly #taken = new Map<string, string>()

  /** `folder` is the run's folder as seen from the workspace; nothing is attached without it. */
  constructor(folder: string | undefined) {
    this.#folder = folder
  }

  /** The path to attach, or `null`. */
  pathFor(path: string): string | null {
    const name = path.slice(path.lastIndexOf('/') + 1)
    const known = this.#taken.get(name) ?? path
    this.#taken.set(name, known)
    return known === path ? attachmentPath(this.#folder, path) : null
  }
}

/** The run's folder as readers that start from the workspace name it. */
export function attachmentsFrom(workspace: string, folder: string): string {
  const path = relative(workspace, folder)
  const inside = !path.startsWith('..')
  return (inside ? path || '.' : folder).split(sep).join('/')
}
