import type { CallOptions } from '../shared/host-commands.js'
import { askLists, type XenServerHost, xe } from './host.js'
import { fieldOf } from './output.js'

/** Removes a halted machine with its disks. Without `force` xe waits for a person to type "yes". */
export async function uninstallVm(host: XenServerHost, uuid: string, call: CallOptions): Promise<void> {
  await ownDisks(host, uuid, call)
  await uninstall(host, xe('vm-uninstall', `uuid=${uuid}`, 'force=true'), call)
}

/** Deletes a snapshot with its disks and its memory. */
export async function uninstallSnapshot(host: XenServerHost, uuid: string, call: CallOptions): Promise<void> {
  await ownDisks(host, uuid, call)
  await uninstall(host, xe('snapshot-uninstall', `snapshot-uuid=${uuid}`, 'force=true'), call)
}

/** Removes what became no more than a template. */
export async function uninstallTemplate(host: XenServerHost, uuid: string, call: CallOptions): Promise<void> {
  await ownDisks(host, uuid, call)
  await uninstall(host, xe('template-uninstall', `template-uuid=${uuid}`, 'force=true'), call)
}

async function uninstall(
  { shell, limits }: XenServerHost,
  command: string,
  call: CallOptions,
): Promise<void> {
  await shell.demand(command, { ...call, limit: limits.storage })
}

/**
 * Says that a machine's disks go with it: xe leaves those that it was not installed with (`vm_uninstall_common` in
 * xapi's cli_operations.ml). A disk that another machine has too is none of its own.
 */
export async function ownDisks(host: XenServerHost, uuid: string, call: CallOptions): Promise<void> {
  const command = xe('vbd-list', 'type=Disk', 'params=uuid,vm-uuid,vdi-uuid')
  const [all = []] = await askLists(host, [command], call)
  const users = new Map<string, Set<string>>()
  for (const vbd of all) {
    const vdi = fieldOf(vbd, 'vdi-uuid')
    users.set(vdi, (users.get(vdi) ?? new Set()).add(fieldOf(vbd, 'vm-uuid')))
  }
  for (const vbd of all.filter(each => fieldOf(each, 'vm-uuid') === uuid)) {
    if (users.get(fieldOf(vbd, 'vdi-uuid'))?.size === 1) {
      const words = [`uuid=${fieldOf(vbd, 'uuid')}`, 'other-config:owner=true']
      await host.shell.demand(xe('vbd-param-set', ...words), call)
    }
  }
}
