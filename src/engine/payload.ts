import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Suite } from '../plan/suite.js'
import { shellLibrary } from '../plan/suites.js'
import type { PlannedEnvironment } from '../plan/types.js'
import { type CarriedFile, type Upload, type UploadWay, uploadCommand } from '../remote/index.js'

const archives = new Map<string, Promise<Buffer>>()
const fileMode = 0o644
const programMode = 0o755

/**
 * How the shell library and the scripts of an environment's suites come into a folder of the guest. The
 * archive is made once for all environments whose suites are the same.
 */
export async function payloadFor(
  environment: PlannedEnvironment,
  suites: ReadonlyMap<string, Suite>,
  folder: string,
  way: UploadWay = 'tar',
): Promise<Upload> {
  const needed = [...new Set(environment.tests.map(({ suite }) => suite))]
    .sort()
    .flatMap(id => suites.get(id) ?? [])
  const key = [way, ...needed.map(({ id, digest }) => `${id} ${digest}`)].join('\n')
  const archive = archives.get(key) ?? packed(needed, way)
  archives.set(key, archive)
  const { command } = await uploadCommand([], folder, way)
  return { command, stdin: await archive }
}

async function packed(suites: readonly Suite[], way: UploadWay): Promise<Buffer> {
  const { stdin } = await uploadCommand(await filesFor(suites), '/', way)
  return stdin
}

async function filesFor(suites: readonly Suite[]): Promise<CarriedFile[]> {
  const library = (await readdir(shellLibrary)).filter(name => name.endsWith('.sh'))
  const files = library.map(name => ({ from: join(shellLibrary, name), path: `lib/${name}`, mode: fileMode }))
  for (const suite of suites) {
    // Modules run here, not on the guest; the manifest is of no use there.
    for (const file of suite.files.filter(({ path }) => !/\.(ts|js|ya?ml)$/.test(path))) {
      const isScript = file.executable || suite.tests.some(test => test.file === file.path)
      const mode = isScript ? programMode : fileMode
      files.push({ from: join(suite.folder, file.path), path: `suites/${suite.id}/${file.path}`, mode })
    }
  }
  return Promise.all(
    files.map(async ({ from, path, mode }) => ({ path, mode, content: await readFile(from) })),
  )
}
