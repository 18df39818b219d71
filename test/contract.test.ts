/** `guestcert doctor --contract` on emulated hosts: what holds, what is broken, and what is written down of it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Transcript, transcriptSchema } from '../src/doctor/contract/transcript.js'
import { guestcert } from './cli-io.js'

t.setTimeout(300_000)

const hosts = {
  hyperv: 'product: hyper-v, version: "2022", driver: hyperv, emulated: hyper-v-2022',
  vsphere: 'product: esxi, version: "7.0", driver: vsphere, emulated: esxi-7',
  xenserver: 'product: xenserver, version: "8.2", driver: xenserver, emulated: xenserver-8',
} as const

const placements = {
  hyperv: `clean: { overlay: 'D:\\clean\\deb.vhdx' }, via: host, configuration: { generation: 2, disk: scsi, nic: synthetic, vcpus: 2, memory: 512MiB }`,
  vsphere:
    'clean: { overlay: sealed }, configuration: { firmware: bios, disk: pvscsi, nic: vmxnet3, vcpus: 2, memory: 512MiB }',
  xenserver:
    'clean: { overlay: sealed }, via: host, configuration: { mode: hvm, disk: xen-blk, nic: xen-vif, vcpus: 1, memory: 512MiB, tools: "7.30" }',
} as const

type Driver = keyof typeof hosts

async function folderOf(t: Test, driver: Driver): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gc-contract-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const limits = '{ watchEvery: 200ms, lookEvery: 20ms, restart: 1s }'
  const text = [
    'lab: contract',
    'defaults: { limits: { boot: 60s } }',
    `hosts: { secret-name: { ${hosts[driver]}, limits: ${limits} } }`,
    `guests: { deb: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { secret-name: { vm: deb, ${placements[driver]} } } } }`,
    'suites: [builtin]',
    '',
  ].join('\n')
  await writeFile(join(folder, 'lab.yaml'), text)
  return folder
}

async function transcriptIn(folder: string, name: string): Promise<Transcript> {
  return transcriptSchema.parse(JSON.parse(await readFile(join(folder, name), 'utf8')))
}

for (const [driver, file] of [
  ['hyperv', 'hyperv-hyper-v-2022.json'],
  ['vsphere', 'vsphere-esxi-7.0.json'],
  ['xenserver', 'xenserver-xenserver-8.2.json'],
] as const) {
  t.test(
    `${driver}: all of the contract holds on the emulated host, and is written down without names`,
    async t => {
      const folder = await folderOf(t, driver)
      const { code, stdout, stderr } = await guestcert(['doctor', 'lab.yaml', '--contract', 'secret-name'], {
        cwd: folder,
      })
      t.equal(code, 0, `${stdout}${stderr}`)
      t.match(stdout, /^secret-name: the contract of driver /)
      t.match(stdout, / held +pause \(pause, resume\)\n/)
      t.match(stdout, /\n\d+ held, 0 broken, 0 not tried \(emulated: it proves nothing of the product\)\n/)
      const transcript = await transcriptIn(folder, file)
      t.match(transcript, { driver, real: false })
      t.ok(transcript.exchanges.length > 20)
      t.equal(
        transcript.results.every(({ state }) => state === 'held'),
        true,
      )
      const parts = transcript.results.map(({ part }) => part)
      for (const part of [
        'life',
        'again',
        'cancelled',
        'refused',
        'early',
        'loss',
        'restart',
        'abilities/stop',
      ]) {
        t.ok(parts.includes(part), part)
      }
      const text = JSON.stringify(transcript.exchanges)
      t.notMatch(text, /secret-name|AAAA[A-Za-z0-9+/]{20}/)
      const addresses =
        text.match(/(?<![\d.])(?!0|127|255|192\.0\.2\.1(?!\d))\d+\.\d+\.\d+\.\d+(?![\d.])/g) ?? []
      t.same(
        addresses.filter(found => found.split('.').every(part => Number(part) < 256)),
        [],
      )
    },
  )
}

t.test('what cannot be tested is refused before anything is started', async t => {
  const folder = await folderOf(t, 'hyperv')
  const refusal = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await guestcert(['doctor', 'lab.yaml', ...args], { cwd: folder })
    t.equal(code, 2, stderr)
    return stderr
  }
  t.match(await refusal('--contract', 'nope'), /unknown host "nope": the lab has secret-name/)
  const file = join(folder, 'lab.yaml')
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replace(/clean: \{ overlay: [^}]*\}/, 'clean: { snapshot: sealed }'))
  t.match(
    await refusal('--contract', 'secret-name'),
    /host "secret-name": the contract test needs a scratch VM: place a guest there with "clean: \{ overlay: … \}" or "clean: \{ copy: … \}"/,
  )
})
