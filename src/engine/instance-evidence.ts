import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Evidence } from '../journal/events.js'
import { describeFile, EvidenceFile } from './evidence.js'
import type { RunSettings } from './settings.js'

/** Opens files of evidence in the folder of an instance. */
export function evidenceIn(
  folder: string,
  { folder: root, plan, redactor }: Pick<RunSettings, 'folder' | 'plan' | 'redactor'>,
): (file: string) => EvidenceFile {
  const limitBytes = plan.limits.output
  return file => new EvidenceFile({ root, path: join(folder, file), limitBytes, redactor })
}

/** What stands in the instance's folder and no test has claimed: consoles and logs. */
export async function leftBehind(
  { folder: root, redactor }: RunSettings,
  folder: string,
  claimed: ReadonlyMap<string, Evidence>,
): Promise<Evidence[]> {
  const known = new Set([...claimed.keys()].map(path => basename(path)))
  const names = (await readdir(folder).catch(() => [])).filter(name => !known.has(name))
  const described = await Promise.all(
    names.sort().map(name => describeFile(root, join(folder, name), redactor)),
  )
  return described.filter(file => file !== null)
}
