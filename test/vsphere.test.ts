import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { execa } from 'execa'
import t from 'tap'
import { startEmulatedHost } from '../emulator/hosts/host.js'
import { Site } from '../emulator/hosts/site.js'
import { powerOf } from '../emulator/hosts/vsphere/machine.js'
import { packageRoot } from '../src/config/package-root.js'
import { guestcertProcess } from './cli-process.js'

const [program, ...args] = guestcertProcess
const password = 'of the emulated vCenter'

t.setTimeout(240_000)

t.test(
  'what a killed run left in a vCenter is found by nobody but "lab clean", which removes it',
  async t => {
    const site = new Site()
    const users = [{ name: 'root', authorizedKeys: [password] }]
    const host = await startEmulatedHost(
      {
        name: 'esx-1',
        persona: 'esxi-7',
        personaFolders: [join(packageRoot, 'fixtures/personas')],
        users,
        vms: [
          {
            name: 'deb',
            guest: { persona: 'debian-12', users },
            hardware: { vcpus: 1, memoryBytes: 2 ** 29 },
            snapshots: ['sealed'],
          },
        ],
      },
      site,
    )
    t.teardown(() => host.close())
    const standing = (): string[] =>
      [...site.vsphere.vcenter.machines.values()].map(machine => `${machine.name} ${powerOf(machine)}`)
    const before = standing()
    const { port, certificate } = host.api ?? { port: 0, certificate: '' }
    const folder = t.testdir({
      'lab.yaml': `lab: killed
defaults: { limits: { lease: 3s, leaseRenewal: 500ms, leaseLook: 100ms } }
hosts:
  esx:
    product: esxi
    version: "7.0"
    driver: vsphere
    connect: { api: "https://127.0.0.1:${port}", user: root, password: file:password, certificate: "SHA256:${certificate}", host: esx-1 }
guests:
  deb:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: root, password: file:password }
    on: { esx: { vm: deb, clean: { overlay: sealed }, address: "127.0.0.1:1", configuration: { vcpus: 1 } } }
suites: [builtin]
`,
    })
    await writeFile(join(folder, 'password'), `${password}\n`)
    const options = { cwd: folder, reject: false, stdin: 'ignore' } as const
    const runner = spawn(program, [...args, 'run', 'lab.yaml', '-o', 'reports'], {
      cwd: folder,
      stdio: 'ignore',
    })
    while (!standing().some(line => /^gc-.* poweredOn$/.test(line))) {
      if (runner.exitCode !== null) {
        t.fail('the run ended by itself')
        return
      }
      await wait(20)
    }
    runner.kill('SIGKILL')
    await once(runner, 'close')
    t.equal(standing().length, before.length + 1)

    let told = ''
    for (let tries = 0; tries < 20 && standing().length > before.length; tries += 1) {
      // As long as its lease lasts the run may live.
      const cleaned = await execa(program, [...args, 'lab', 'clean', 'lab.yaml'], { ...options, all: true })
      told += cleaned.all
    }
    t.match(told, /gc-\S+-e1-1/)
    t.strictSame(standing(), before, 'as before, by the vCenter’s own account')
    const again = await execa(program, [...args, 'lab', 'clean', 'lab.yaml'], options)
    t.equal(again.exitCode, 0, again.stderr)
  },
)
