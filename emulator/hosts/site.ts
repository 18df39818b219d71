import type { DirectoryNode } from '../files/nodes.js'
import type { FileTree } from '../files/tree.js'
import type { HostKey } from '../server/host-key.js'
import type { Hypervisor } from './hypervisor.js'
import { ImageStore } from './images.js'
import { Leases } from './network.js'
import { VsphereSite } from './vsphere/place.js'
import { Pool } from './xenserver/pool.js'

/** Where the hosts of one lab see the same files: a file server's export that each of them has mounted. */
export const sharedFolder = '/var/lib/libvirt/shared'

/** A host of a site. */
interface Member {
  /** What its libvirt drives. */
  readonly uri: string
  readonly hypervisor: Hypervisor
  readonly ssh: { readonly host: string; readonly port: number }
}

/** What the emulated hosts of one lab have in common: they know each other by name, and share a folder. */
export class Site {
  readonly store = new ImageStore()
  readonly leases = new Leases()
  readonly vsphere = new VsphereSite()
  /** Host keys of guests, by the name of their virtual machine and the kind of key: one disk may serve on any host. */
  readonly keys = new Map<string, HostKey>()
  readonly #hosts = new Map<string, Member>()
  readonly #pools = new Map<string, Pool>()
  #folder: DirectoryNode | undefined

  /** Makes a host known. */
  join(name: string, member: Member): void {
    this.#hosts.set(name, member)
  }

  leave(name: string): void {
    this.#hosts.delete(name)
  }

  /** The host of that name, or with its SSH server there, whose libvirt drives that. */
  find(name: string, port: number | undefined, uri: string): Hypervisor | undefined {
    const there = [...this.#hosts.values()].find(({ ssh }) => ssh.host === name && ssh.port === port)
    const found = this.#hosts.get(name) ?? there
    return found?.uri === uri ? found.hypervisor : undefined
  }

  /** Puts the shared folder into a host's tree; `folder` says where it is there. */
  mount(tree: FileTree, folder = sharedFolder): void {
    this.#folder ??= tree.makeDirectory()
    tree.installNode(folder, this.#folder)
  }

  /** The pool of the hosts of one persona. */
  pool(persona: string): Pool {
    const known = this.#pools.get(persona) ?? new Pool(persona)
    this.#pools.set(persona, known)
    return known
  }
}

/** Whether a file is one that every host of the lab sees. */
export function isShared(file: string): boolean {
  return file.startsWith(`${sharedFolder}/`)
}
