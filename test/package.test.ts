/** The package as npm packs it, in an empty folder with its declared dependencies alone: it carries all that it needs. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { packageRoot } from '../src/config/package-root.js'

t.setTimeout(300_000)
const lab = `lab: packed
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests: { deb: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } } } }
suites: [builtin, ./own]
`
const manifest = `suite: own
version: 1.0.0
title: The user's own
tests:
  - { id: module, title: A module, requirements: [O-1], level: required, module: a.ts }
`
const module = `import { test } from 'guestcert/api'
export default test(async ({ guest, expect }) => {
  const { stdout } = await guest.run('echo it runs')
  expect(stdout.trim()).toBe('it runs', 'the guest says it')
})
`

/** What the product alone may take once it is installed, in blocks of the disk. */
const mostBytes = 45_000_000
const optional = 'just-bash'

async function npm(...args: string[]): Promise<string> {
  return (await execa('npm', [...args, '--offline', '--no-update-notifier'], { cwd: packageRoot })).stdout
}

/** The folders of the packages that users get, without the optional one. */
async function packagesOf(...flags: string[]): Promise<string[]> {
  const listed = await npm('ls', '--omit=dev', '--omit=optional', '--parseable', ...flags)
  return listed.split('\n').slice(1)
}

interface Installed {
  /** The user's folder. */
  readonly folder: string
  /** The package in it. */
  readonly own: string
  run(...args: string[]): Promise<{ stdout: string; stderr: string; exitCode?: number | undefined }>
}

/** Unpacks what npm packs into an empty folder, and links the dependencies that are declared for users beside it. */
async function install(t: Test): Promise<Installed> {
  // Outside the repository, whose own packages would be found from any folder in it.
  const folder = await mkdtemp(join(tmpdir(), 'guestcert-packed-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  // It is built already: what is tested is what is packed.
  const packed = JSON.parse(
    await npm('pack', '--ignore-scripts', '--json', '--silent', '--pack-destination', folder),
  ) as readonly { readonly filename: string }[]
  const own = join(folder, 'node_modules/guestcert')
  await mkdir(own, { recursive: true })
  await execa('tar', ['-xzf', join(folder, packed[0]?.filename ?? ''), '-C', own, '--strip-components=1'])
  for (const path of await packagesOf('--depth=0')) await link(folder, path)
  const { bin } = JSON.parse(await readFile(join(own, 'package.json'), 'utf8')) as {
    readonly bin: { readonly guestcert: string }
  }
  return {
    folder,
    own,
    run: (...args) =>
      execa(process.execPath, [join(own, bin.guestcert), ...args], {
        cwd: folder,
        env: { HOME: dirname(own), GUESTCERT_CACHE: join(folder, 'cache') },
        reject: false,
        stdin: 'ignore',
      }),
  }
}

/** Links a package of ours into a user's folder. */
async function link(folder: string, path: string): Promise<void> {
  const target = join(folder, 'node_modules', path.slice(join(packageRoot, 'node_modules/').length))
  await mkdir(dirname(target), { recursive: true })
  await symlink(path, target)
}

/** What a folder takes on a disk, without the packages in it that stand for themselves. */
async function diskBytes(folder: string): Promise<number> {
  let sum = 0
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) sum += entry.name === 'node_modules' ? 0 : await diskBytes(path)
    else sum += (await stat(path)).blocks * 512
  }
  return sum
}

t.test('it says its version, plans and runs, with modules and emulated guests', async t => {
  const { folder, own, run } = await install(t)
  await mkdir(join(folder, 'own'))
  await writeFile(join(folder, 'lab.yaml'), lab)
  await writeFile(join(folder, 'own/suite.yaml'), manifest)
  await writeFile(join(folder, 'own/a.ts'), module)
  const { version } = JSON.parse(await readFile(join(own, 'package.json'), 'utf8')) as {
    readonly version: string
  }
  t.match(await run('--version'), { exitCode: 0, stdout: `guestcert ${version}` })
  t.match(await run('plan', 'lab.yaml'), { exitCode: 0, stdout: /core\/reachable|own/ })

  await t.test('without the optional package, one line says what emulated guests need', async t => {
    for (const command of [['run'], ['lab', 'up'], ['doctor']]) {
      const { exitCode, stderr, stdout } = await run(...command, 'lab.yaml')
      t.equal(exitCode, 2, stdout)
      t.match(stderr, /^guestcert: the lab has emulated machines.*optional package just-bash[^\n]*$/)
    }
  })

  await t.test('with it, they run', async t => {
    await link(folder, join(packageRoot, 'node_modules', optional))
    const ended = await run('run', 'lab.yaml', '--test', 'own/module', '--test', 'core/reachable')
    t.equal(ended.exitCode, 0, ended.stdout + ended.stderr)
    t.match(ended.stdout, /own\/module/)
    const summary = JSON.parse(await readFile(join(folder, 'reports/latest/summary.json'), 'utf8')) as {
      readonly counts: { readonly pass: number }
    }
    t.equal(summary.counts.pass, 3, 'the bring-up and both tests')
  })

  await t.test('and so does the demo', async t => {
    const { exitCode, stdout, stderr } = await run('demo', '--host', 'xen', '--test', 'core/reachable')
    t.equal(exitCode, 0, stdout + stderr)
    t.match(stdout, /core\/reachable/)
  })

  await t.test('without the emulator, one line says so', async t => {
    await rm(join(own, 'dist/emulator'), { recursive: true })
    const { exitCode, stderr } = await run('run', 'lab.yaml')
    t.equal(exitCode, 2)
    t.match(stderr, /^guestcert: the lab has emulated machines, and the emulator is not installed: [^\n]*$/)
  })
})

t.test('installed without the optional package, it is small', async t => {
  const { own } = await install(t)
  let bytes = await diskBytes(own)
  for (const path of new Set(await packagesOf('--all'))) bytes += await diskBytes(path)
  t.ok(bytes < mostBytes, `${Math.round(bytes / 1e5) / 10} MB`)
  t.ok(bytes > 10_000_000, 'all of it was counted')
})
