import t, { type Test } from 'tap'
import type { Report } from '../src/doctor/finding.js'
import { guestcert } from './cli-io.js'

/** A lab of one emulated Windows Server, declared as that version. */
const lab = (version: string): string => `lab: windows
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  one:
    product: windows-server
    version: "${version}"
    arch: x86_64
    emulated: windows-2008-sp2
    login: { algorithms: legacy }
    on: { here: { configuration: {} } }
suites: [builtin]
`

async function doctor(
  t: Pick<Test, 'testdir'>,
  version: string,
): Promise<{ code: number; findings: Record<string, string> }> {
  const cwd = t.testdir({ 'lab.yaml': lab(version) })
  const { code, stdout } = await guestcert(['doctor', 'lab.yaml', '--json'], { cwd })
  const { subjects } = JSON.parse(stdout) as Report
  const all = subjects.flatMap(({ findings }) => findings)
  return {
    code,
    findings: Object.fromEntries(all.map(({ check, state, seen }) => [check, `${state}: ${seen}`])),
  }
}

t.test('an emulated Windows guest, by what WMI says', async t => {
  const { code, findings } = await doctor(t, '2008 SP2')
  t.equal(code, 0, JSON.stringify(findings))
  t.match(findings, {
    product: /^ok: .*2008/,
    version: 'ok: 2008 SP2',
    clock: /^ok: /,
    'free space': /^ok: \d+MiB in C:/,
  })
})

t.test('another Windows than the lab declares', async t => {
  const { code, findings } = await doctor(t, '2008 R2 SP1')
  t.equal(code, 3)
  t.match(findings, { login: /^ok/, version: 'missing: 2008 SP2' })
})
