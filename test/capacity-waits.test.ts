import { join } from 'node:path'
import t from 'tap'
import { guestcert } from './cli-io.js'

t.setTimeout(240_000)

/** Three guests on a host that has room for one, and each of them has the lock of the host. */
const lab = `lab: waits
defaults: { parallel: 8, limits: { boot: 60s, notice: 500ms } }
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static, capacity: { guests: 1 } } }
guests:
${['one', 'two', 'three']
  .map(
    id =>
      `  ${id}: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } } }`,
  )
  .join('\n')}
suites: [./slow]
`
const suite = {
  'suite.yaml':
    'suite: slow\nversion: 1.0.0\ntitle: Slow\ntests:\n  - { id: one, title: One, requirements: [X-1], level: required, script: one.sh, protocol: exit }\n',
  'one.sh': '#!/bin/sh\nsleep 2\n',
}

t.test('who waits for room is told of in every reporter, with what for and since when', async t => {
  const folder = t.testdir({ 'lab.yaml': lab, slow: suite })
  for (const reporter of ['plain', 'quiet', 'json']) {
    const flags = ['-o', join(folder, `reports-${reporter}`), '--reporter', reporter]
    const { code, stdout } = await guestcert(['run', join(folder, 'lab.yaml'), ...flags])
    t.equal(code, 0, stdout)
    if (reporter === 'json') {
      const waits = stdout
        .split('\n')
        .filter(line => line.includes('"type":"waiting"') && line.includes('room on'))
      t.match(JSON.parse(waits[0] ?? '{}'), {
        environment: /^(one|two|three)@/,
        what: 'room on here (1 of 1 guests in use), with 1 more environment',
        since: /^\d{4}-/,
        until: undefined,
      })
    } else {
      t.match(
        stdout,
        /(one|two|three)\S*( \(emulated\))?: waiting for room on here \(1 of 1 guests in use\)(, with 1 more environment)? \(since \d\d:\d\d:\d\d UTC\)/,
      )
    }
  }
})
