import { randomBytes } from 'node:crypto'

/** An object of a fake pool: its fields as xe names them. */
export type Fields = Record<string, string>

/** Ends a command as xe does: status 1, the error on stderr. */
export class XeError extends Error {}

export const notInDatabase = '<not in database>'

export function newUuid(): string {
  const hex = randomBytes(16).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** The objects of a pool as `xe` shows them, for unit tests, and what becomes of them. */
export class FakePool {
  readonly hosts: Fields[] = []
  readonly vms: Fields[] = []
  readonly vdis: Fields[] = []
  readonly vbds: Fields[] = []
  readonly vifs: Fields[] = []
  readonly srs: Fields[] = []
  readonly networks = new Set<string>()
  /** Guests that do not heed a request to shut down, or to let go of a device. */
  isDeaf = false
  #domains = 4

  constructor() {
    for (const name of ['xs-2', 'xs-1']) {
      this.hosts.push({
        uuid: newUuid(),
        'name-label': name,
        'software-version':
          'product_version: 8.2.0; product_version_text: 8.2; platform_name: XCP; product_brand: XenServer; build_number: release/stockholm/master/7; xapi: 1.20; xen: 4.13.0; linux: 4.19.0+1',
        cpu_info: 'cpu_count: 8; socket_count: 1; vendor: GenuineIntel; modelname: Intel(R) Xeon(R) CPU',
        'memory-total': String(32 * 2 ** 30),
        'memory-free': String(20 * 2 ** 30),
      })
    }
    for (const name of ['Shared storage', 'Local storage']) {
      this.srs.push({
        uuid: newUuid(),
        'name-label': name,
        'content-type': 'user',
        'physical-size': String(100 * 2 ** 30),
        'physical-utilisation': String(2 ** 30),
      })
    }
  }

  hostNamed(name: string): string {
    return this.hosts.find(host => host['name-label'] === name)?.uuid ?? ''
  }

  named(name: string): Fields {
    const found = this.vms.find(vm => vm['name-label'] === name)
    if (found === undefined) throw new Error(`there is no VM ${name}`)
    return found
  }

  /** Adds a machine with a disk and a card. */
  addVm(name: string, more: Fields = {}, sr = this.srs[0]?.uuid ?? ''): Fields {
    const vm: Fields = {
      uuid: newUuid(),
      'name-label': name,
      'is-a-template': 'false',
      'is-a-snapshot': 'false',
      'snapshot-of': notInDatabase,
      'power-state': 'halted',
      'dom-id': '-1',
      'resident-on': notInDatabase,
      'VCPUs-max': '2',
      'VCPUs-at-startup': '2',
      'VCPUs-number': '0',
      'memory-static-max': String(256 * 2 ** 20),
      'memory-actual': '0',
      'HVM-boot-policy': '',
      'HVM-boot-params': '',
      'is-control-domain': 'false',
      networks: '',
      ...more,
    }
    const network = newUuid()
    this.networks.add(network)
    this.vms.push(vm)
    this.addVbd(vm, this.addVdi({ 'name-label': `${name} 0`, 'sr-uuid': sr, content: name }))
    this.addVif(vm, network)
    return vm
  }

  /** What is on the first disk of a machine. */
  diskOf(vm: Fields): Fields {
    const [vbd] = this.#devices(this.vbds, vm)
    return this.vdis.find(vdi => vdi.uuid === vbd?.['vdi-uuid']) ?? {}
  }

  /** All that has an instance's name, and disks that nothing has any more. */
  left(): string[] {
    // xapi forgets, at some time, the devices whose disks are gone.
    remove(this.vbds, vbd => !this.vdis.some(vdi => vdi.uuid === vbd['vdi-uuid']))
    const named = [...this.vms, ...this.vdis].map(each => each['name-label'] ?? '')
    const used = new Set(this.vbds.map(vbd => vbd['vdi-uuid']))
    const orphans = this.vdis.filter(vdi => !used.has(vdi.uuid)).map(vdi => `orphan ${vdi['name-label']}`)
    return [...named.filter(name => name.startsWith('gc-')), ...orphans]
  }

  run(vm: Fields, host: string): void {
    this.newDomain(vm)
    Object.assign(vm, {
      'power-state': 'running',
      'resident-on': host,
      'VCPUs-number': vm['VCPUs-at-startup'] ?? '',
      'memory-actual': vm['memory-static-max'] ?? '',
      networks: '0/ip: 192.0.2.16; 0/ipv4/0: 192.0.2.16; 0/ipv6/0: fe80::1',
    })
    this.#attach(vm, true)
  }

  /** As after a reboot or a move. */
  newDomain(vm: Fields): void {
    this.#domains += 1
    vm['dom-id'] = String(this.#domains)
  }

  halt(vm: Fields): void {
    Object.assign(vm, {
      'power-state': 'halted',
      'dom-id': '-1',
      'resident-on': notInDatabase,
      'VCPUs-number': '0',
      networks: '',
    })
    this.#attach(vm, false)
  }

  /** A copy of a machine with disks of its own; a snapshot keeps the addresses of its cards. */
  copy(vm: Fields, name: string, more: Fields): Fields {
    const off = { 'dom-id': '-1', 'resident-on': notInDatabase }
    const copy: Fields = { ...vm, uuid: newUuid(), 'name-label': name, ...off, ...more }
    this.vms.push(copy)
    this.#copyDevices(vm, copy, copy['is-a-snapshot'] === 'true')
    return copy
  }

  /** Takes a machine back: its devices are those of the snapshot, under other UUIDs. */
  revert(snapshot: Fields): void {
    const vm = this.vms.find(each => each.uuid === snapshot['snapshot-of']) ?? {}
    this.halt(vm)
    vm['power-state'] = snapshot['power-state'] ?? ''
    for (const vbd of this.#devices(this.vbds, vm)) {
      remove(this.vbds, each => each === vbd)
      const { 'name-label': name = '' } = this.vdis.find(vdi => vdi.uuid === vbd['vdi-uuid']) ?? {}
      // A disk that was added since is let go of.
      if (!name.startsWith('gc-')) this.destroyVdi(vbd['vdi-uuid'] ?? '')
    }
    remove(this.vifs, vif => vif['vm-uuid'] === vm.uuid)
    this.#copyDevices(snapshot, vm, true)
  }

  destroyVm(vm: Fields): void {
    const vbds = this.#devices(this.vbds, vm)
    remove(this.vms, each => each === vm)
    remove(this.vifs, vif => vif['vm-uuid'] === vm.uuid)
    remove(this.vbds, vbd => vbds.includes(vbd))
    for (const vbd of vbds.filter(each => (each['other-config:owner'] ?? '') !== '')) {
      this.destroyVdi(vbd['vdi-uuid'] ?? '')
    }
  }

  destroyVdi(uuid: string): void {
    remove(this.vdis, vdi => vdi.uuid === uuid)
  }

  addVdi(fields: Fields): Fields {
    const vdi = { 'is-a-snapshot': 'false', ...fields, uuid: newUuid() }
    this.vdis.push(vdi)
    return vdi
  }

  addVbd(vm: Fields, vdi: Fields, more: Fields = {}): Fields {
    const used = this.#devices(this.vbds, vm).map(vbd => vbd.device)
    const vbd: Fields = {
      uuid: newUuid(),
      'vm-uuid': vm.uuid ?? '',
      'vdi-uuid': vdi.uuid ?? '',
      type: 'Disk',
      mode: 'RW',
      device: ['xvda', 'xvdb', 'xvdc', 'xvdd'].find(name => !used.includes(name)) ?? '',
      'currently-attached': 'false',
      'other-config:owner': '',
      ...more,
    }
    this.vbds.push(vbd)
    return vbd
  }

  addVif(vm: Fields, network: string, more: Fields = {}): Fields {
    const vif: Fields = {
      uuid: newUuid(),
      'vm-uuid': vm.uuid ?? '',
      'network-uuid': network,
      device: String(this.#devices(this.vifs, vm).length),
      MAC: `00:16:3E:${[...randomBytes(3)].map(byte => byte.toString(16).padStart(2, '0')).join(':')}`,
      'currently-attached': 'false',
      ...more,
    }
    this.vifs.push(vif)
    return vif
  }

  #copyDevices(from: Fields, to: Fields, keepsMacs: boolean): void {
    for (const vbd of this.#devices(this.vbds, from)) {
      const disk = this.vdis.find(vdi => vdi.uuid === vbd['vdi-uuid']) ?? {}
      const own = this.addVdi({ ...disk, 'is-a-snapshot': to['is-a-snapshot'] ?? 'false' })
      const { device = '', 'other-config:owner': owner = '' } = vbd
      this.addVbd(to, own, { device, 'other-config:owner': owner })
    }
    for (const { 'network-uuid': network = '', device = '', MAC = '' } of this.#devices(this.vifs, from)) {
      this.addVif(to, network, keepsMacs ? { device, MAC } : { device })
    }
  }

  #attach(vm: Fields, isAttached: boolean): void {
    for (const device of [...this.#devices(this.vbds, vm), ...this.#devices(this.vifs, vm)]) {
      device['currently-attached'] = String(isAttached)
    }
  }

  #devices(all: readonly Fields[], vm: Fields): Fields[] {
    return all.filter(each => each['vm-uuid'] === vm.uuid)
  }
}

export function remove(all: Fields[], isGone: (each: Fields) => boolean): void {
  for (const each of all.filter(isGone)) all.splice(all.indexOf(each), 1)
}
