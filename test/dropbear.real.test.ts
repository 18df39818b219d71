/** Needs Debian's dropbear-bin and busybox-static, and root for the namespaces of a machine of busybox alone. */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import type { Report } from '../src/doctor/finding.js'
import { type OpenSsh, startOpenSsh } from '../src/remote/openssh.test.fixture.js'
import { guestcertProcess } from './cli-process.js'
import { startDropbear } from './dropbear.js'

t.setTimeout(600_000)

interface Server {
  readonly port: number
  readonly keyPath: string
  readonly hostKey: string
}

const os = readFileSync('/etc/os-release', 'utf8')
const [, product = ''] = /^ID=(.*)$/m.exec(os) ?? []
const [, version = ''] = /^VERSION_ID="(.*)"$/m.exec(os) ?? []

function guest(id: string, { port, keyPath, hostKey }: Server): string {
  return `
  ${id}:
    product: ${product}
    version: "${version}"
    arch: x86_64
    login: { user: root, key: "file:${keyPath}", hostKey: "${hostKey}" }
    on: { here: { address: "127.0.0.1:${port}", configuration: {} } }`
}

/** How often `core` is run on each server: one that is narrow shows its faults now and then. */
const repeats = Number(process.env.GUESTCERT_TEST_REPEATS ?? 3)

t.test('core on a dropbear with busybox alone, and with one session, is as on OpenSSH', async t => {
  const dropbear = await startDropbear()
  t.teardown(() => dropbear.close())
  const [ssh, narrow] = [await startOpenSsh(), await startOpenSsh(['MaxSessions 1'])]
  t.teardown(() => Promise.all([ssh.close(), narrow.close()]))
  const serverOf = ({ port, keyPath, hostKeys }: OpenSsh): Server => ({
    port,
    keyPath,
    hostKey: Object.values(hostKeys)[0] ?? '',
  })
  const folder = t.testdir({
    'lab.yaml': `lab: dropbear-${process.pid}
hosts:
  here: { product: none, version: "1", driver: static }
guests:${guest('small', dropbear)}${guest('narrow', serverOf(narrow))}${guest('large', serverOf(ssh))}
suites: [builtin]
`,
  })
  const [program, ...args] = guestcertProcess
  const tookSec: number[] = []
  let same = 0
  for (let round = 1; round <= repeats; round += 1) {
    const startedAt = performance.now()
    const { stdout } = await execa(
      program,
      [...args, 'run', 'lab.yaml', '-o', 'reports', '--suite', 'core'],
      {
        cwd: folder,
        reject: false,
        stdin: 'ignore',
      },
    )
    tookSec.push((performance.now() - startedAt) / 1000)
    const text = await readFile(join(folder, 'reports/latest/summary.json'), 'utf8')
    const { environments } = JSON.parse(text) as {
      environments: readonly {
        readonly id: string
        readonly tests: readonly {
          readonly test: string
          readonly verdict: string
          readonly reason?: string
        }[]
      }[]
    }
    const of = (id: string): string[] =>
      environments
        .find(environment => environment.id.startsWith(`${id}@`))
        ?.tests.map(({ test, verdict }) => `${test} ${verdict}`) ?? []
    t.ok(of('large').length > 5, `round ${round}: ${stdout}`)
    t.ok(of('large').includes('core/reachable pass'), `round ${round}: ${stdout}`)
    t.same(of('small'), of('large'), `round ${round}, dropbear: ${stdout}`)
    t.same(of('narrow'), of('large'), `round ${round}, MaxSessions 1: ${stdout}`)
    same += [of('small'), of('narrow')].every(verdicts => verdicts.join() === of('large').join()) ? 1 : 0
  }
  t.comment(`${same} of ${repeats} rounds alike; s: ${tookSec.map(sec => sec.toFixed(1)).join(' ')}`)
})

t.test('doctor and capture get along with a dropbear, every time', async t => {
  const dropbear = await startDropbear()
  t.teardown(() => dropbear.close())
  const folder = t.testdir({
    'lab.yaml': `lab: dropbear-${process.pid}
hosts:
  here: { product: none, version: "1", driver: static }
guests:${guest('small', dropbear)}
suites: [builtin]
`,
  })
  const [program, ...args] = guestcertProcess
  const states = new Map<string, number>()
  for (let look = 0; look < 10; look += 1) {
    const { stdout } = await execa(program, [...args, 'doctor', 'lab.yaml', '--json', '--parallel', '4'], {
      cwd: folder,
      reject: false,
      stdin: 'ignore',
    })
    const { subjects } = JSON.parse(stdout) as Report
    for (const { check, state, seen } of subjects.flatMap(({ findings }) => findings)) {
      // A machine of busybox alone does not say what product it is.
      if (check !== 'product' && check !== 'version') {
        const found = state === 'ok' ? `${check} ok` : `${check} ${state}: ${seen}`
        states.set(found, (states.get(found) ?? 0) + 1)
      }
    }
  }
  const expected = ['reachable', 'host key', 'login', 'clock', 'free space'].map(check => [`${check} ok`, 10])
  t.same([...states].sort(), expected.sort())
  const { exitCode, stderr } = await execa(program, [...args, 'capture', 'lab.yaml', 'small'], {
    cwd: folder,
    reject: false,
    stdin: 'ignore',
  })
  t.equal(exitCode, 0, stderr)
})
