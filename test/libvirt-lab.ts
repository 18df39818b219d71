import type { RealHost } from '../src/hypervisors/libvirt/real-host.test.fixture.js'

type Login = NonNullable<RealHost['host']['connect']>['login']

/** Parts of a lab's text that lead to a real libvirt host and its Debian VM. */
export interface LibvirtLab {
  /** Below `hosts:`. */
  readonly host: string
  /** Below `guests:`: the VM as a guest of that name, with its clean state, and lines more if any. */
  guest(name: string, clean: string, more?: string): string
}

/** The text of a lab for a real host. What runs there is in software emulation: it says nothing of KVM. */
export async function libvirtLab(real: RealHost): Promise<LibvirtLab> {
  const { endpoint, login } = real.host.connect ?? {}
  const { guest, placement } = await real.requestFor(1, { kind: 'none' })
  return {
    host: `  kvm-1:
    product: qemu
    version: "7.2"
    driver: libvirt
    connect: { ssh: "root@127.0.0.1:${endpoint?.port}", ${login && keyAndPin(login)} }
    capacity: { guests: 1, vcpus: 2, memory: 1GiB }
`,
    guest: (name, clean, more = '') => `  ${name}:
    product: debian
    version: "12"
    arch: x86_64
    ${more}
    login: { user: root, ${keyAndPin(guest.login)} }
    on:
      kvm-1:
        vm: ${real.vm.name}
        address: "127.0.0.1:${placement.endpoint?.port}"
        via: host
        clean: ${clean}
        configuration: { firmware: bios, disk: virtio-blk, vcpus: 1, memory: 256MiB }
`,
  }
}

function keyAndPin({ key, hostKey }: Login): string {
  const file = key?.kind === 'file' ? key.path : ''
  const pin = hostKey.kind === 'pinned' ? hostKey.fingerprint : ''
  return `key: "file:${file}", hostKey: "${pin}"`
}
