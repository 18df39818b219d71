import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InfraError } from '../../config/errors.js'
import { datacenterOf } from './site.js'
import { optionalReference, tag } from './soap/write.js'
import type { Vm } from './vm.js'

/** Takes a picture of a machine's screen: the server writes it beside its disks, where it is fetched and removed. */
export async function takeScreenshot(
  vm: Vm,
  to: string,
  number: number,
  signal: AbortSignal,
): Promise<string> {
  const { session } = vm.host.site
  const { evidence } = vm.host.limits
  const options = vm.options(signal, evidence)
  const taken = await vm.finish(vm.call('CreateScreenshot_Task'), evidence, signal)
  const place = /^\[([^\]]+)\] ?(.+)$/.exec(taken.result?.text.trim() ?? '')
  const [whole = '', datastore = '', path = ''] = place ?? []
  const datacenter = await datacenterOf(session, vm.machine, options)
  if (place === null || datacenter === null) {
    const said = taken.result?.text.slice(0, 200) ?? 'nothing'
    throw new InfraError(`${vm.instance}: the screenshot is at no place that is known: ${said}`, {
      cause: 'host',
      where: vm.instance,
      code: 'command',
    })
  }
  const query = new URLSearchParams({ dcPath: datacenter.path, dsName: datastore })
  const picture = await session.download(
    `/folder/${path.split('/').map(encodeURIComponent).join('/')}?${query}`,
    options,
  )
  const name = `screenshot-${number}.png`
  await writeFile(join(to, name), picture)
  const files = (await session.content(options)).manager('fileManager')
  if (files !== undefined) {
    const args = [tag('name', whole), ...optionalReference('datacenter', datacenter.self)]
    await vm.finish({ self: files, method: 'DeleteDatastoreFile_Task', args }, evidence, signal)
  }
  return name
}
