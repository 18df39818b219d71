import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { execa } from 'execa'
import type { Test } from 'tap'
import { guestcertProcess } from './cli-process.js'
import type { XenHost } from './xen-host.js'

const [program, ...args] = guestcertProcess
const vm = 'erp'
const folder = '/var/lib/guestcert/debian-xen'
const disk = `${folder}/${vm}.raw`
const cfg = `/etc/xen/${vm}.cfg`
const path = 'PATH=$PATH:/usr/sbin:/sbin'
/** Between two looks at the host; how long a guest inside software emulation may take to boot and to be paused. */
const lookEveryMs = 1_000
const pausesMs = 900_000
const cleanedMs = 120_000

const manifest = `suite: lent
version: 1.0.0
title: Uses a machine that is lent
tests:
  - { id: pauses, title: Pauses, requirements: [L-1], level: required, module: pauses.ts, limit: 20m, needs: { host: [pause] } }
`
const pauses = `import { test } from 'guestcert/api'
export default test(async ({ host, expect }) => {
  await host.pause({ for: 900_000 })
  expect(true).toBe(true, 'it goes on')
})
`

/** Kills a runner that has paused somebody's domain, and has `lab clean` give the domain back. */
export async function lentIsGivenBack(t: Test, { onHost }: XenHost, labFile: string): Promise<void> {
  await onHost(`${path}
sed 's/"debian"/"${vm}"/;s,${folder}/disk.raw,${disk},' /etc/xen/debian.cfg >${cfg}
cp --sparse=always ${folder}/disk.raw ${disk}
xl create ${cfg}`)
  t.teardown(() => onHost(`${path};xl destroy ${vm};rm -f ${cfg} ${disk}`))
  const text = (await readFile(labFile, 'utf8'))
    .replace('limits: { ', 'limits: { lease: 20s, leaseRenewal: 4s, leaseLook: 1s, ')
    .replace(/vm: debian .*/, `vm: ${vm}`)
    .replace(/clean: .*/, 'clean: none')
    .replace('    on:\n', '    allow: [pause]\n    on:\n')
    .replace('suites: [builtin]', 'suites: [./lent]')
  const cwd = t.testdir({ 'lab.yaml': text, lent: { 'suite.yaml': manifest, 'pauses.ts': pauses } })
  /** By the host's own account: its number, state, size and devices, without the time that it has used. */
  const account = async (): Promise<string> => {
    const look = `xl list ${vm}|awk 'NR>1{gsub(/[rb]/,"-",$5);print $1,$2,$3,$4,$5}'
xl vcpu-list ${vm}|awk 'NR>1{print $1,$2,$3}'
xl block-list ${vm}
xl network-list ${vm}
find ${folder} "$HOME"/.guestcert* -type f -name '*gc-*'
ls ${folder}
cksum ${cfg}`
    return onHost(`${path};${look}`)
  }
  // It has booted when it uses its card: until then its devices change by themselves.
  const cardStates = `xl network-list ${vm}|awk 'NR>1{print $1" "$5}'`
  await within(pausesMs, async () => /^0 4$/m.test(await onHost(`${path};${cardStates}`)))
  const found = await account()
  t.match(found, new RegExp(`^${vm} \\d+ 256 1 ------`))

  const runner = spawn(program, [...args, 'run', 'lab.yaml', '--as', 'alice', '-o', 'reports'], {
    cwd,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.teardown(() => runner.kill('SIGKILL'))
  let told = ''
  runner.stdout.on('data', chunk => {
    told += String(chunk)
  })
  const isPaused = async (): Promise<boolean> =>
    /^\S+ \d+ 256 1 --p/.test(await account()) || runner.exitCode !== null
  await within(pausesMs, isPaused)
  runner.kill('SIGKILL')
  if (runner.signalCode === null && runner.exitCode === null) {
    await once(runner, 'close')
  }
  t.equal(runner.signalCode, 'SIGKILL', told)
  t.not(await account(), found, 'it is left paused')

  let said = ''
  await within(cleanedMs, async () => {
    const cleaned = await execa(program, [...args, 'lab', 'clean', 'lab.yaml'], { cwd, reject: false })
    t.equal(cleaned.exitCode, 0, cleaned.stderr)
    said += cleaned.stdout
    return /removed lease/.test(said)
  })
  t.match(said, /removed gc-\S+-e1-1 on xen-1/)
  t.equal(await account(), found, 'it is as it was found, by the account of the host')
}

async function within(ms: number, holds: () => Promise<boolean>): Promise<void> {
  const startedAt = performance.now()
  while (!(await holds()) && performance.now() - startedAt < ms) {
    await wait(lookEveryMs)
  }
}
