/** The package that holds its dependencies, installed without a network and with an empty cache. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'

t.setTimeout(1_200_000)

const lab = `lab: offline
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests: { deb: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } } } }
suites: [builtin]
`

/** Installs an archive in a network namespace that reaches nothing. */
async function install(
  folder: string,
  archive: string,
): Promise<{ exitCode?: number | undefined; stderr: string }> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{}')
  const npm = [
    'npm',
    'install',
    '--offline',
    '--no-audit',
    '--no-fund',
    '--cache',
    join(folder, 'cache'),
    archive,
  ]
  return execa('unshare', ['--net', ...npm], { cwd: folder, reject: false, stdin: 'ignore' })
}

t.test('it installs where there is no registry, and runs', async t => {
  const folder = t.testdir({ 'lab.yaml': lab })
  const packed = join(folder, 'packed')
  await execa(process.execPath, [join(packageRoot, 'dist/scripts/pack-offline.js'), packed])
  const [archive = ''] = await readdir(packed)
  t.match(archive, /^guestcert-[\d.]+-offline\.tgz$/)
  const installed = await install(join(folder, 'with'), join(packed, archive))
  t.equal(installed.exitCode, 0, installed.stderr)
  const program = join(folder, 'with/node_modules/.bin/guestcert')
  const run = await execa(program, ['run', 'lab.yaml', '--test', 'identity'], {
    cwd: folder,
    reject: false,
    stdin: 'ignore',
  })
  t.equal(run.exitCode, 0, `${run.stdout}${run.stderr}`)
  t.match(run.stdout, /Tests +2: 2 passed/)
})

t.test(
  'the package without its dependencies does not: the network is off, and the cache is empty',
  async t => {
    const folder = t.testdir({ packed: {} })
    const packed = join(folder, 'packed')
    await execa('npm', ['pack', '--ignore-scripts', '--offline', '--pack-destination', packed], {
      cwd: packageRoot,
    })
    const [archive = ''] = await readdir(packed)
    const { exitCode, stderr } = await install(join(folder, 'without'), join(packed, archive))
    t.not(exitCode, 0)
    t.match(stderr, /ENOTCACHED/)
  },
)
