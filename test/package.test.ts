/** The package as npm packs it, in an empty folder with its declared dependencies alone: it carries all that it needs. */
import { mkdir, readFile, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
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

/** Unpacks what npm packs, and links the dependencies that are declared for users beside it. */
async function install(folder: string): Promise<string> {
  const npm = async (...args: string[]): Promise<string> =>
    (await execa('npm', [...args, '--offline', '--no-update-notifier'], { cwd: packageRoot })).stdout
  // It is built already: what is tested is what is packed.
  const packed = JSON.parse(
    await npm('pack', '--ignore-scripts', '--json', '--silent', '--pack-destination', folder),
  ) as readonly { readonly filename: string }[]
  const own = join(folder, 'node_modules/guestcert')
  await mkdir(own, { recursive: true })
  const archive = join(folder, packed[0]?.filename ?? '')
  await execa('tar', ['-xzf', archive, '-C', own, '--strip-components=1'])
  const listed = (await npm('ls', '--omit=dev', '--depth=0', '--parseable')).split('\n').slice(1)
  for (const path of listed) {
    await symlink(path, join(folder, 'node_modules', basename(path)))
  }
  return own
}

t.test('it says its version, plans and runs, with modules and emulated guests', async t => {
  const folder = t.testdir({ 'lab.yaml': lab, own: { 'suite.yaml': manifest, 'a.ts': module } })
  const own = await install(folder)
  const { bin, version } = JSON.parse(await readFile(join(own, 'package.json'), 'utf8')) as {
    readonly bin: { readonly guestcert: string }
    readonly version: string
  }
  const run = (
    ...args: string[]
  ): Promise<{ stdout: string; stderr: string; exitCode?: number | undefined }> =>
    execa(process.execPath, [join(own, bin.guestcert), ...args], {
      cwd: folder,
      env: { HOME: dirname(own) },
      reject: false,
      stdin: 'ignore',
    })
  t.match(await run('--version'), { exitCode: 0, stdout: `guestcert ${version}` })
  t.match(await run('plan', 'lab.yaml'), { exitCode: 0, stdout: /core\/reachable|own/ })
  const ended = await run('run', 'lab.yaml', '--test', 'own/module', '--test', 'core/reachable')
  t.equal(ended.exitCode, 0, ended.stdout + ended.stderr)
  t.match(ended.stdout, /own\/module/)
  const summary = JSON.parse(await readFile(join(folder, 'reports/latest/summary.json'), 'utf8')) as {
    readonly counts: { readonly pass: number }
  }
  t.equal(summary.counts.pass, 3, 'the bring-up and both tests')
})
