import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { execa } from 'execa'
import t from 'tap'
import { guestcertProcess } from './cli-process.js'
import { disk, startHyperVHost, vms } from './hyperv-host.js'

t.setTimeout(240_000)
const [program, ...args] = guestcertProcess

t.test('what a killed runner left on a Hyper-V host goes with "lab clean"', async t => {
  const shared = vms.map(vm => ({ ...vm, name: 'shared', images: [], snapshots: ['sealed'] }))
  const started = await startHyperVHost(t, { vms: [...vms, ...shared] })
  const { host, keyPath } = started
  const before = host.account?.()
  const guest = (name: string, vm: string, clean: string): string => `  ${name}:
    product: rhel
    version: "9.6"
    arch: x86_64
    login: { user: root, key: "file:${keyPath}", hostKey: "${host.guestKeys.get(vm)?.fingerprint}" }
    on: { hv-1: { vm: ${vm}, clean: ${clean}, via: host, configuration: { generation: 2, vcpus: 2, memory: 256MiB } } }
`
  const folder = t.testdir({
    'lab.yaml': `lab: killed
defaults: { retries: 0, parallel: 2, limits: { lease: 4s, leaseRenewal: 1s, leaseLook: 300ms, leaseWait: 40s } }
hosts:
  hv-1:
    product: hyper-v
    version: "2022"
    driver: hyperv
    connect: { ssh: "root@127.0.0.1:${host.machine.port}", key: "file:${keyPath}", hostKey: "${host.machine.hostKeyFingerprint}", algorithms: legacy }
    limits: { lookEvery: 100ms }
    capacity: { guests: 2, vcpus: 4, memory: 1GiB }
guests:
${guest('own', 'rhel9', `{ overlay: '${disk}' }`)}${guest('shared', 'shared', '{ snapshot: sealed }')}suites: [./slow]
`,
    slow: {
      'suite.yaml': `suite: slow
version: 1.0.0
title: Takes its time
tests:
  - { id: ends, title: Ends, requirements: [S-1], level: required, script: ends.sh, protocol: tap }
  - { id: waits, title: Waits, requirements: [S-2], level: required, script: waits.sh, protocol: tap }
`,
      'ends.sh': '#!/bin/sh\necho 1..1\necho ok 1\n',
      'waits.sh': '#!/bin/sh\necho 1..1\nsleep 600\necho ok 1\n',
    },
  })
  const runner = spawn(program, [...args, 'run', 'lab.yaml', '-o', 'reports'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let told = ''
  runner.stdout.on('data', chunk => {
    told += String(chunk)
    if ((told.match(/pass .*slow\/ends/g) ?? []).length === 2) runner.kill('SIGKILL')
  })
  await once(runner, 'close')
  t.equal((told.match(/pass .*slow\/ends/g) ?? []).length, 2, told)
  t.match(host.running(), { length: 2 })
  const options = { cwd: folder, reject: false, stdin: 'ignore' } as const
  const clean = () => execa(program, [...args, 'lab', 'clean', 'lab.yaml'], options)
  // Until its lease has run out, the dead runner is taken for a living one.
  let said = await clean()
  for (let tries = 0; /belongs to a run that lives/.test(String(said.stdout)) && tries < 60; tries += 1) {
    said = await clean()
  }
  t.equal(said.exitCode, 0, `${said.stdout}${said.stderr}`)
  t.match(String(said.stdout), /the VM shared, Running/)
  t.strictSame(host.account?.(), before, 'as before, by the host’s own account')
})
