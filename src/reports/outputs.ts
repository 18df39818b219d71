import { join, resolve } from 'node:path'
import { InternalError, UsageError } from '../config/errors.js'
import { nearest } from '../config/nearest.js'
import { attachmentsFrom } from './junit/attachments.js'
import type { OutputKind, ReportContext } from './output.js'
import { replaceFile } from './replace-file.js'

/** Writes one file, and names it. */
async function file(path: string, content: string): Promise<readonly string[]> {
  await replaceFile(path, content)
  return [path]
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** Every kind of report that `--to` makes. What one needs is loaded when it is written. */
export const outputKinds: readonly OutputKind[] = [
  {
    name: 'junit',
    description: 'JUnit, one file an environment, in the folders junit and junit-strict',
    destination: 'folder',
    usual: '.',
    write: async ({ state, workspace, folder, waived }, to) => {
      const { writeJunit } = await import('./junit/write.js')
      return writeJunit(to, state, {
        workspace,
        evidenceFolder: folder,
        ...(waived === undefined ? {} : { waived }),
      })
    },
  },
  {
    name: 'junit-merged',
    description: 'JUnit in one file, or in several of at most 20 MB or 5000 cases',
    destination: 'file',
    usual: 'junit.xml',
    live: true,
    write: async ({ state, workspace, folder, waived }, path) => {
      const { writeMergedJunit } = await import('./junit/merged.js')
      return writeMergedJunit({
        path,
        state,
        profile: 'rich',
        attachments: attachmentsFrom(workspace, folder),
        ...(waived === undefined ? {} : { waived }),
      })
    },
  },
  {
    name: 'html',
    description: 'a page for people, in one file and without scripts',
    destination: 'file',
    usual: 'index.html',
    write: async ({ state, exitCode, folder }, path) => {
      const { htmlPage } = await import('./html/page.js')
      return file(path, htmlPage(state, { exitCode, folder, path }))
    },
  },
  {
    name: 'markdown',
    description: 'a summary in Markdown, for merge requests and chats',
    destination: 'file',
    usual: 'summary.md',
    write: async ({ state, exitCode }, path) => {
      const { markdownOf } = await import('./markdown/markdown.js')
      return file(path, markdownOf(state, { exitCode }))
    },
  },
  {
    name: 'ctrf',
    description: 'CTRF (Common Test Report Format) in JSON',
    destination: 'file',
    usual: 'ctrf.json',
    write: async ({ state, workspace, folder }, path) => {
      const { ctrfOf } = await import('./ctrf/ctrf.js')
      return file(path, json(ctrfOf(state, attachmentsFrom(workspace, folder))))
    },
  },
  {
    name: 'summary',
    description: 'summary.json, which every run leaves in its folder (schemas/summary.schema.json)',
    destination: 'file',
    usual: 'summary.json',
    write: async ({ state, exitCode }, path) => {
      const { summaryOf } = await import('./summary.js')
      return file(path, json(summaryOf(state, exitCode)))
    },
  },
  {
    name: 'github',
    description: 'annotations and the step summary of GitHub Actions',
    destination: 'none',
    write: async context => (await import('./github/github.js')).writeGithub(context),
  },
  {
    name: 'otlp',
    description: 'the run as a trace and its measures as metrics, to an OTLP collector over HTTP',
    destination: 'url',
    write: async (context, url) => (await import('./otlp/send.js')).sendOtlp(context, url),
  },
]

/** A report that was asked for: its kind, and its place where one was named. */
export interface WantedOutput {
  readonly kind: OutputKind
  readonly to: string | null
}

/** What is wrong with a `KIND[=PLACE]`, or `null`. */
export function outputMistake(text: string): string | null {
  const { name, to } = split(text)
  const kind = outputKinds.find(one => one.name === name)
  if (kind === undefined) {
    const names = outputKinds.map(one => one.name)
    return `names no known report: did you mean "${nearest(name, names) ?? names.join(', ')}"?`
  }
  if (kind.destination === 'none') {
    return to === null ? null : `takes no place for ${name}`
  }
  if (to === null) {
    return kind.usual === undefined ? `needs a ${kind.destination}: ${name}=…` : null
  }
  if (to === '') return `needs a ${kind.destination} after "${name}="`
  return kind.destination === 'url' ? urlMistake(name, to) : null
}

function urlMistake(name: string, url: string): string | null {
  // Nothing is quoted that may hold a password: command lines are seen by others.
  if (/^[^/]*\/\/[^/]*@/.test(url)) return `takes no user or password in the URL for ${name}`
  return /^https?:\/\/[^/]/.test(url) && URL.canParse(url)
    ? null
    : `needs an http or https URL for ${name}, not "${url}"`
}

/** Reads a `KIND[=PLACE]` that {@link outputMistake} has passed; paths start from `cwd`. @throws UsageError */
export function readOutput(text: string, cwd: string): WantedOutput {
  const mistake = outputMistake(text)
  const { name, to } = split(text)
  const kind = outputKinds.find(one => one.name === name)
  if (mistake !== null || kind === undefined) throw new UsageError(`"${text}" ${mistake}`)
  const isPath = kind.destination === 'file' || kind.destination === 'folder'
  return { kind, to: to !== null && isPath ? resolve(cwd, to) : to }
}

/** Writes reports one after the other; one that fails keeps none of the others from being written. */
export async function writeOutputs(
  wanted: readonly WantedOutput[],
  context: ReportContext,
): Promise<{ readonly written: readonly string[]; readonly failures: readonly Error[] }> {
  const written: string[] = []
  const failures: Error[] = []
  for (const { kind, to } of wanted) {
    try {
      written.push(...(await kind.write(context, to ?? join(context.folder, kind.usual ?? ''))))
    } catch (error) {
      failures.push(error instanceof Error ? error : new InternalError(String(error)))
    }
  }
  return { written, failures }
}

function split(text: string): { readonly name: string; readonly to: string | null } {
  const at = text.indexOf('=')
  return at === -1 ? { name: text, to: null } : { name: text.slice(0, at), to: text.slice(at + 1) }
}
