import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { execa } from 'execa'
import { packageRoot } from '../src/config/package-root.js'

/**
 * Packs the program with all that it depends on, for labs without a registry: `npm run pack:offline [FOLDER]`. What is
 * bundled comes from `node_modules`; what packages of others declare as optional is left out, as it is compiled on the
 * machine that installs it.
 */
interface Manifest {
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const modules = 'node_modules'

async function manifestIn(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest
}

/** The folder of a package as Node finds it from another one, relative to the root; `null` where it is not installed. */
async function findPackage(name: string, from: string): Promise<string | null> {
  for (let at = from; ; at = dirname(dirname(at))) {
    const folder = join(at, modules, name)
    const found = await manifestIn(join(packageRoot, folder)).catch(() => null)
    if (found !== null) return folder
    if (at === '.' || at === '') return null
  }
}

/** Every folder that the program needs, those of its dependencies' dependencies too. */
async function closure(own: Manifest): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  const waiting: { readonly name: string; readonly from: string }[] = Object.keys({
    ...own.dependencies,
    ...own.optionalDependencies,
  }).map(name => ({ name, from: '.' }))
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const folder = await findPackage(next.name, next.from)
    if (folder === null) throw new Error(`${next.name} is not installed: run "npm ci" first`)
    if (found.has(folder)) continue
    found.add(folder)
    const { dependencies = {}, optionalDependencies = {} } = await manifestIn(join(packageRoot, folder))
    for (const name of Object.keys(dependencies)) {
      if (!(name in optionalDependencies)) waiting.push({ name, from: folder })
    }
  }
  return found
}

const target = resolve(process.argv[2] ?? '.')
const folder = await mkdtemp(join(tmpdir(), 'guestcert-pack-'))
try {
  const npm = async (cwd: string, ...args: string[]): Promise<string> =>
    (await execa('npm', [...args, '--ignore-scripts', '--offline', '--no-update-notifier'], { cwd })).stdout
  const packed = JSON.parse(
    await npm(packageRoot, 'pack', '--json', '--silent', '--pack-destination', folder),
  ) as readonly { readonly filename: string }[]
  await execa('tar', ['-xzf', packed[0]?.filename ?? '', '--no-same-owner'], { cwd: folder })
  const own = join(folder, 'package')
  const manifest = await manifestIn(own)
  for (const path of await closure(manifest)) {
    await mkdir(dirname(join(own, path)), { recursive: true })
    // What is nested in it comes by itself, if it is needed.
    await cp(join(packageRoot, path), join(own, path), {
      recursive: true,
      filter: source => !source.slice(join(packageRoot, path).length).includes(`/${modules}`),
    })
  }
  const { devDependencies: _, scripts: __, ...kept } = manifest as Manifest & Record<string, unknown>
  const bundled = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })
  await writeFile(
    join(own, 'package.json'),
    `${JSON.stringify({ ...kept, bundleDependencies: bundled }, null, 2)}\n`,
  )
  const [{ filename = '' } = {}] = JSON.parse(await npm(own, 'pack', '--json', '--silent')) as readonly {
    readonly filename?: string
  }[]
  const archive = join(target, `${manifest.name}-${manifest.version}-offline.tgz`)
  await mkdir(target, { recursive: true })
  await cp(join(own, filename), archive)
  process.stdout.write(`${archive}\n`)
} finally {
  await rm(folder, { recursive: true, force: true })
}
