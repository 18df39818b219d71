import type { ManagedHostPersona } from '../../persona/schema.js'
import type { ParsedHostSpec } from '../../spec.js'
import type { Hypervisor } from '../hypervisor.js'
import type { Installed } from '../images.js'
import { neighbours } from '../network.js'
import { domainOf, type EsxHost, fileOf } from './machine.js'
import { type ApiServer, serveApi } from './server.js'
import { VCenter } from './vcenter.js'

const diskBytes = 8 * 1024 ** 3

/** A host that a vCenter takes in. */
export interface Joining {
  readonly hypervisor: Hypervisor
  readonly persona: ManagedHostPersona
  readonly spec: ParsedHostSpec
  /** Host keys of guests, by the name of their machine. */
  readonly keys: ReadonlyMap<string, { readonly pem: string }>
  /** Called when the host is to be gone. */
  readonly onGone: () => void
}

/** The vCenter of an emulated lab: all of its ESXi hosts are managed by one, which stands from the first one on. */
export class VsphereSite {
  readonly vcenter = new VCenter()
  #server: Promise<ApiServer> | undefined
  #users = 0

  /** Takes a host in, with its machines. Gives the address of the API. */
  async join({ hypervisor, persona, spec, keys, onGone }: Joining): Promise<ApiServer> {
    const { vsphere } = persona
    if (!vsphere) throw new Error(`${spec.persona} is no ESXi host`)
    const host = this.vcenter.join({
      name: spec.name,
      hypervisor,
      persona: { ...persona, vsphere },
      faults: spec.faults,
    })
    this.#users += 1
    this.#server ??= serveApi({
      vcenter: this.vcenter,
      about: vsphere.vcenter,
      accounts: spec.users.flatMap(({ name, authorizedKeys = [] }) =>
        authorizedKeys.map(key => ({ user: name, password: key.trim() })),
      ),
      address: spec.host,
      faults: () => Object.assign({}, ...this.vcenter.hosts.map(({ faults }) => faults)),
      onCall: method => {
        if (spec.faults.gone && new RegExp(spec.faults.gone.command).test(method)) onGone()
      },
    })
    for (const vm of spec.vms) {
      await this.#place(host, vm, {
        persona: vm.guest.persona,
        personaFolders: spec.personaFolders,
        users: vm.guest.users,
        hostKey: keys.get(vm.name)?.pem ?? '',
        ...(vm.guest.faults === undefined ? {} : { faults: vm.guest.faults }),
      })
    }
    return this.#server
  }

  /** The guests of all hosts: they stand in one network. */
  neighbours(): ReturnType<typeof neighbours> {
    return this.vcenter.hosts.flatMap(({ hypervisor, persona }) => neighbours(hypervisor, persona))
  }

  /** The last host that leaves ends the vCenter. */
  async leave(): Promise<void> {
    this.#users -= 1
    if (this.#users === 0) await (await this.#server)?.close()
  }

  /** Makes a machine that stands on a host from the start: off, with snapshots of its system as it was installed. */
  async #place(host: EsxHost, spec: ParsedHostSpec['vms'][number], installed: Installed): Promise<void> {
    const { images, tree } = host.hypervisor
    const content = images.keep({ installed })
    images.write(tree, fileOf(spec.name, 'sda'), { format: 'raw', virtualBytes: diskBytes, content })
    const vm = host.hypervisor.define(domainOf(spec.name, spec.hardware))
    const machine = this.vcenter.register(host, spec.name, vm)
    for (const name of new Set(spec.snapshots)) await this.vcenter.snapshot(machine, name, false)
  }
}
