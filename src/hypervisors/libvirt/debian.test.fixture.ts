import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import { execa } from 'execa'
import { logPieces } from '../shared/evidence.js'
import type { BuiltImage } from '../shared/image.js'
import { localVirsh } from './daemons.test.fixture.js'
import { emulatorLog } from './evidence.js'

/** A Debian guest as a VM of the local libvirt. */
export interface DebianVm {
  readonly name: string
  /** The clean disk, which nothing writes to: for overlays and copies. */
  readonly base: string
  /** Takes a snapshot of the VM's disk, while it is off. */
  seal(snapshot: string): Promise<void>
  /** Boots the VM, takes a snapshot of it while it runs, and turns it off. */
  sealRunning(snapshot: string): Promise<void>
  /** Removes the VM and all its files. */
  remove(): Promise<void>
}

export interface DebianVmRequest {
  readonly name: string
  readonly image: BuiltImage
  /** A folder that libvirt's QEMU can read; it is made, and removed with the VM. */
  readonly folder: string
  /** The loopback port that leads to the guest's SSH server. */
  readonly port: number
  /** One, if absent. */
  readonly vcpus?: number
}

const bootLimitMs = 240_000
const memoryMiB = 256

/** Defines the VM, in place of one of that name. */
export async function defineDebianVm({
  name,
  image,
  folder,
  port,
  vcpus = 1,
}: DebianVmRequest): Promise<DebianVm> {
  const base = join(folder, 'debian.qcow2')
  const console = `/var/log/libvirt/qemu/${name}.console.log`
  const remove = async (): Promise<void> => {
    await localVirsh('destroy', name).catch(() => {})
    await localVirsh('undefine', name, '--managed-save', '--snapshots-metadata').catch(() => {})
    await rm(folder, { recursive: true, force: true })
    const logs = [console, emulatorLog(name)].flatMap(logPieces)
    await Promise.all(logs.map(file => rm(file, { force: true })))
  }
  await remove()
  await mkdir(folder, { recursive: true })
  await chmod(folder, 0o755)
  const files = { kernel: join(folder, 'vmlinuz'), initrd: join(folder, 'initrd.img') }
  // libvirt changes the owners of what its guests use: the image in the cache is not to be touched.
  await copyFile(image.disk, base, constants.COPYFILE_FICLONE)
  await copyFile(image.kernel, files.kernel)
  await copyFile(image.initrd, files.initrd)
  await chmod(base, 0o444)
  const disk = join(folder, `${name}.disk.qcow2`)
  await execa('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', base, disk])
  const id = createHash('sha256').update(name).digest('hex').slice(0, 32)
  const append = image.manifest.kernelArguments.join(' ').replaceAll('{machineId}', id)
  const xml = domainXml({ name, disk, ...files, append, port, console, vcpus })
  await writeFile(join(folder, 'domain.xml'), xml)
  await localVirsh('define', join(folder, 'domain.xml'))
  return {
    name,
    base,
    seal: async snapshot => {
      await localVirsh('snapshot-create-as', name, snapshot)
    },
    sealRunning: async snapshot => {
      await localVirsh('start', name)
      await untilSaid(console, image.manifest.bootedMark)
      await localVirsh('snapshot-create-as', name, snapshot)
      await localVirsh('destroy', name)
    },
    remove,
  }
}

async function untilSaid(file: string, words: string): Promise<void> {
  for await (const _ of setInterval(500, null, { signal: AbortSignal.timeout(bootLimitMs) })) {
    const text = await readFile(file, 'utf8').catch(() => '')
    if (text.includes(words)) {
      return
    }
  }
}

interface DomainParts {
  readonly name: string
  readonly disk: string
  readonly kernel: string
  readonly initrd: string
  readonly append: string
  readonly port: number
  readonly console: string
  readonly vcpus: number
}

/** In software emulation, with the network in QEMU itself: it needs neither KVM nor a bridge. */
function domainXml({ name, disk, kernel, initrd, append, port, console, vcpus }: DomainParts): string {
  return `<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>${name}</name>
  <memory unit='MiB'>${memoryMiB}</memory>
  <vcpu>${vcpus}</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>${kernel}</kernel>
    <initrd>${initrd}</initrd>
    <cmdline>${append}</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='maximum'/>
  <on_crash>destroy</on_crash>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' cache='unsafe'/>
      <source file='${disk}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <serial type='pty'><log file='${console}' append='on'/><target port='0'/></serial>
    <video><model type='vga' vram='16384'/></video>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-netdev'/>
    <qemu:arg value='user,id=gcnet,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22'/>
    <qemu:arg value='-device'/>
    <qemu:arg value='virtio-net-pci,netdev=gcnet,bus=pci.0,addr=0x1e'/>
  </qemu:commandline>
</domain>
`
}
