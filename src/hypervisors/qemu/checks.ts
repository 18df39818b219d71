import { cpus, totalmem } from 'node:os'
import type { Placement } from '../../config/model.js'
import type { Check, CheckRequest } from '../driver.js'
import type { HostLimits } from '../limit.js'
import { capacityChecks, inMib, localFreeBytes, seenFree, seenIf, seenVersion } from '../seen.js'
import { instancesFolder } from '../shared/cache.js'
import { describeMissing, missingTools, runTool, type Tool, type ToolOptions } from '../shared/tool.js'
import { hardwareOf } from './hardware.js'
import { program } from './launch.js'
import { checkDrivers, findBase } from './placement.js'

const tools: readonly Tool[] = [program, 'qemu-img', 'setpriv']

/** What must be well on this machine before its QEMU runs guests. */
export function qemuChecks(
  { host, guests, freeBytes }: CheckRequest,
  { cacheFolder, limits }: { readonly cacheFolder: string; readonly limits: HostLimits },
): Check[] {
  const options = (signal: AbortSignal): ToolOptions => {
    return { where: host.id, signal, cause: 'host', limit: limits.storage }
  }
  const folder = instancesFolder(cacheFolder)
  const cleanState = (placement: Placement, arch: string): Check => ({
    name: 'clean state',
    placement,
    asked: describeBase(placement),
    after: ['tools'],
    carryOut: async signal => {
      const base = await findBase(placement, cacheFolder, options(signal))
      checkDrivers(base, hardwareOf(placement.configuration, { id: host.id, arch }), host.id)
      return seenIf(true, base.image === null ? `${base.disk} (${base.format})` : base.image.folder)
    },
  })
  return [
    {
      name: 'tools',
      asked: tools.join(', '),
      after: [],
      carryOut: async () => {
        const missing = missingTools(tools)
        return seenIf(missing.length === 0, missing.length === 0 ? 'all there' : describeMissing(missing))
      },
    },
    ...(host.product === 'qemu' ? [versionCheck(host.version, options)] : []),
    ...capacityChecks(host.capacity, [], async () => ({
      cpus: cpus().length,
      memoryBytes: totalmem(),
    })),
    {
      name: 'free space',
      asked: `${inMib(freeBytes)} for instances`,
      after: [],
      carryOut: async () => seenFree(await localFreeBytes(folder), freeBytes, folder),
    },
    ...guests.map(({ guest, placement }) => cleanState(placement, guest.arch)),
  ]
}

function versionCheck(version: string, options: (signal: AbortSignal) => ToolOptions): Check {
  return {
    name: 'version',
    asked: `QEMU ${version}`,
    after: ['tools'],
    carryOut: async signal => {
      const said = await runTool(program, ['--version'], options(signal))
      return seenVersion(version, /version (\d+(?:\.\d+)*)/.exec(said)?.[1] ?? null)
    },
  }
}

function describeBase({ image, clean }: Placement): string {
  return clean.kind === 'overlay' || clean.kind === 'copy'
    ? `the image ${clean.path}`
    : `the image ${image ?? '(none named)'}`
}
