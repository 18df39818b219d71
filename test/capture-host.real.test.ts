import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { clientKey, connect as connectCopy } from '../emulator/client.test.helper.js'
import { startEmulatedHost } from '../emulator/hosts/host.js'
import { packageRoot } from '../src/config/package-root.js'
import { localVirsh, startDaemons } from '../src/hypervisors/libvirt/daemons.test.fixture.js'
import { connect } from '../src/remote/index.js'
import { startOpenSsh } from '../src/remote/openssh.test.fixture.js'
import { guestcert } from './cli-io.js'
import { comparedCommands, differingLines, type Said } from './host-twins.js'

t.setTimeout(300_000)

const vm = `gctwin-${process.pid}`
const image = `/var/lib/libvirt/images/${vm}.qcow2`
const xml = `<domain type='qemu'>
  <name>${vm}</name>
  <uuid>5a1f0a7e-9d57-4b7c-8f0e-0000${process.pid.toString(16).padStart(8, '0')}</uuid>
  <memory unit='KiB'>65536</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <on_crash>destroy</on_crash>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='${image}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <interface type='user'><mac address='52:54:00:11:22:33'/><model type='virtio'/></interface>
  </devices>
</domain>
`
const folders = [join(packageRoot, 'fixtures/personas')]

t.test('a real host of libvirt and its captured copy answer alike, line by line', async t => {
  const daemons = await startDaemons()
  t.teardown(() => daemons.close())
  const server = await startOpenSsh()
  t.teardown(() => server.close())
  const cwd = t.testdir({
    'lab.yaml': `lab: here
hosts:
  kvm-1:
    product: qemu
    version: "7.2"
    driver: libvirt
    connect: { ssh: "${server.login().user}@127.0.0.1:${server.port}", key: "file:${server.keyPath}", hostKey: "${server.hostKeys.ed25519}" }
    capacity: { guests: 1 }
guests:
  unused:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: root, key: "file:${server.keyPath}", hostKey: "${server.hostKeys.ed25519}" }
    on: { kvm-1: { vm: unused, clean: none, via: host, configuration: { vcpus: 1, memory: 256MiB } } }
suites: [builtin]
`,
  })
  const captured = await guestcert(['capture', 'lab.yaml', '--host', 'kvm-1', '-o', 'found'], {
    cwd,
    env: process.env,
  })
  t.equal(captured.code, 0, captured.stderr)
  const persona = join(cwd, 'found/hosts/kvm-1.yaml')
  t.match(captured.stdout, persona)

  const original = await connect(server.target())
  t.teardown(() => original.close())
  const emulated = await startEmulatedHost({
    name: 'kvm-1',
    persona,
    personaFolders: folders,
    users: [{ name: 'root', authorizedKeys: [clientKey.public] }],
  })
  t.teardown(() => emulated.close())
  const copy = await connectCopy(emulated.machine)
  t.teardown(() => copy.end())
  const onOriginal = async (command: string): Promise<Said> => {
    const { exit, stdout, stderr } = await original.run(command, { limitMs: 60_000, limitName: 'test' })
    return { code: exit.kind === 'code' ? exit.code : null, stdout: stdout.text, stderr: stderr.text }
  }
  const onCopy = async (command: string): Promise<Said> => {
    const { code, stdout, stderr } = await copy.run(command)
    return { code: code ?? null, stdout, stderr }
  }

  const file = `/tmp/${vm}.xml`
  t.teardown(async () => {
    await localVirsh('destroy', vm).catch(() => {})
    await localVirsh('undefine', vm, '--snapshots-metadata').catch(() => {})
    await Promise.all([file, image].map(path => rm(path, { force: true })))
  })
  await writeFile(file, xml)
  await onCopy(`cat >${file} <<'end'\n${xml}end`)
  for (const on of [onOriginal, onCopy]) {
    t.equal((await on(`qemu-img create -f qcow2 ${image} 64M`)).code, 0, 'both have a disk')
  }
  const differences: string[] = []
  for (const template of comparedCommands) {
    const command = template.replaceAll('{vm}', vm).replaceAll('{xml}', file)
    const said = await onOriginal(`LC_ALL=C ${command}`)
    t.comment(`compared: ${template} (status ${said.code})`)
    differences.push(...differingLines(template, said, await onCopy(`LC_ALL=C ${command}`), vm))
  }
  t.same(differences, [], 'no line differs')
})
