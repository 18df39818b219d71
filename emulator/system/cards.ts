import type { DirectoryNode } from '../files/nodes.js'
import type { LiveContext } from './context.js'
import { changingDirectory } from './made-directories.js'

/** A network card as the kernel of this boot knows it. */
export interface KnownCard {
  readonly name: string
  readonly mac: string
}

/** The cards that the kernel has found, the first one first. */
export function knownCards({ machine, nicNames }: LiveContext): KnownCard[] {
  const { nics } = machine.live
  const added = nics.map(nic => {
    const used = new Set(nics.map(other => nicNames.get(other)))
    let free = 1
    while (used.has(`eth${free}`)) free++
    const name = nicNames.get(nic) ?? `eth${free}`
    nicNames.set(nic, name)
    return { name, mac: nic.mac }
  })
  return [{ name: 'eth0', mac: machine.macAddress }, ...added]
}

/** /sys/class/net. A card that was added is down: nothing has configured it. */
export function netTree(context: LiveContext): DirectoryNode {
  return changingDirectory(context.system.tree, () => ({
    'lo/address': '00:00:00:00:00:00\n',
    'lo/operstate': 'unknown\n',
    'lo/mtu': '65536\n',
    'lo/ifindex': '1\n',
    ...Object.fromEntries(
      knownCards(context).flatMap(({ name, mac }, place) =>
        Object.entries({
          [`${name}/address`]: `${mac}\n`,
          [`${name}/operstate`]: place === 0 ? 'up\n' : 'down\n',
          [`${name}/mtu`]: '1500\n',
          [`${name}/ifindex`]: `${place + 2}\n`,
          ...(place === 0 ? { [`${name}/carrier`]: '1\n' } : {}),
        }),
      ),
    ),
  }))
}
