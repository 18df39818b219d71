import { InfraError } from '../../config/errors.js'
import { isAlive } from '../../config/process-identity.js'
import type { Access, GuestRequest } from '../driver.js'
import type { ToolOptions } from '../shared/tool.js'
import { instanceFolder, readRecord } from './instances.js'
import { findBase } from './placement.js'

const loopback = '127.0.0.1'

/** How an instance that was kept is reached: its port stands in its record. Throws InfraError when it has ended. */
export async function keptAccess(
  cacheFolder: string,
  { instance, placement }: Pick<GuestRequest, 'instance' | 'placement'>,
  tools: ToolOptions,
): Promise<Access> {
  const record = await readRecord(instanceFolder(cacheFolder, instance))
  if (record?.port == null || record.qemu === null || !isAlive(record.qemu)) {
    throw new InfraError(`${instance} is no longer running`, {
      cause: 'host',
      where: instance,
      code: 'driver',
    })
  }
  const { image } = await findBase(placement, cacheFolder, tools)
  const endpoint = { host: loopback, port: record.port, jumps: [] }
  return image === null ? { endpoint } : { endpoint, keyPath: image.keyPath, hostKey: image.hostKey }
}
