import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import { withoutPwsh } from '../src/remote/shells/windows/pwsh.test.fixture.js'
import { guestcertProcess } from './cli-process.js'
import { startWindowsGuest, type WindowsGuest } from './windows-guest.js'

t.setTimeout(1_200_000)
const [program, ...args] = guestcertProcess

/** What this guest cannot pass, with the words that say why. Wine ends with 1 where eight bits of a status are 0. */
const cannot: Readonly<Record<string, RegExp>> = {
  'windows/reachable': /"exit 256": contradictory ends: status 1, but its last line says 256/,
}

const tests = (...names: string[]): string[] => names.flatMap(name => ['--test', `windows/${name}`])
/** The verdicts of a guest that passes these tests. */
const passed = (...names: string[]): Record<string, string> =>
  Object.fromEntries([['guestcert/boot', 'pass'], ...names.map(name => [`windows/${name}`, 'pass'])])

function labOf({ server: { port, keyPath, hostKeys } }: WindowsGuest): string {
  return `lab: parts
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  windows:
    product: windows-server
    version: "2022"
    edition: standard
    arch: x86_64
    login: { user: root, key: "file:${keyPath}", hostKey: "${hostKeys.ed25519 ?? ''}" }
    on: { here: { address: "127.0.0.1:${port}", configuration: { vcpus: 2, memory: 4GiB } } }
suites: [builtin, ${join(packageRoot, 'fixtures/test-suites/windows-texts')}]
`
}

t.test("a guest of OpenSSH's server, Wine's cmd and a real PowerShell", { skip: withoutPwsh }, async t => {
  const guest = await startWindowsGuest('windows-2022')
  t.teardown(guest.close)
  const folder = t.testdir({})
  const lab = join(folder, 'lab.yaml')
  writeFileSync(lab, labOf(guest))
  const run = async (...choice: string[]): Promise<{ verdicts: Record<string, string>; stdout: string }> => {
    const words = [...args, 'run', lab, ...choice, '-o', join(folder, 'reports')]
    const { stdout } = await execa(program, words, { reject: false, env: { NO_COLOR: '1' } })
    const text = await readFile(join(folder, 'reports/latest/summary.json'), 'utf8')
    const { environments } = JSON.parse(text) as {
      environments: readonly { tests: readonly { test: string; verdict: string }[] }[]
    }
    const all = environments.flatMap(({ tests }) => tests)
    return { verdicts: Object.fromEntries(all.map(({ test, verdict }) => [test, verdict])), stdout }
  }

  await t.test('passes what can pass there, and says of the rest why not', async t => {
    const { verdicts, stdout } = await run('--suite', 'windows', '--suite', 'windows-texts')
    t.ok(Object.keys(verdicts).length >= 18, stdout)
    for (const [name, verdict] of Object.entries(verdicts)) {
      t.equal(verdict, name in cannot ? 'error' : 'pass', `${name}: ${stdout}`)
    }
    for (const [name, why] of Object.entries(cannot)) {
      t.ok(name in verdicts, name)
      t.match(stdout, why)
    }
  })

  await t.test('fails where its Windows is broken', async t => {
    await guest.become('windows-2022+service-stopped+device-error')
    const { verdicts, stdout } = await run(...tests('memory', 'devices', 'services'))
    t.strictSame(
      verdicts,
      { ...passed('memory'), 'windows/devices': 'fail', 'windows/services': 'fail' },
      stdout,
    )
  })
})
