import { posix } from 'node:path'
import { fromText, toText } from '../../files/bytes.js'
import type { FileTree } from '../../files/tree.js'
import { uuidFrom } from '../domain.js'
import { make, type Xml } from '../xml.js'

/** Settings of a configuration, by their names in lower case. */
export type Settings = ReadonlyMap<string, string>

export function readSettings(tree: FileTree, path: string): Settings {
  const text = toText(tree.read(fromText(path)))
  return new Map(
    text.split('\n').flatMap(line => {
      const [, key, value = ''] = /^\s*([\w.:-]+)\s*=\s*"(.*)"\s*$/.exec(line) ?? []
      return key === undefined ? [] : [[key.toLowerCase(), value]]
    }),
  )
}

/** The content file of a disk whose descriptor is named. */
export function flatOf(descriptor: string): string {
  return descriptor.replace(/\.vmdk$/, '-flat.vmdk')
}

/** The text of a disk's descriptor (VMware Virtual Disks, Virtual Disk Format 1.1). */
export function descriptorText(path: string, bytes: number): string {
  const content = uuidFrom(`content ${path}`).replaceAll('-', '')
  return [
    '# Disk DescriptorFile',
    'version=1',
    `CID=${content.slice(-8)}`,
    'parentCID=ffffffff',
    'createType="vmfs"',
    '',
    `RW ${Math.ceil(bytes / 512)} VMFS "${posix.basename(flatOf(path))}"`,
    '',
    'ddb.adapterType = "lsilogic"',
    `ddb.longContentID = "${content}"`,
    'ddb.thinProvisioned = "1"',
    '',
  ].join('\n')
}

/** A domain of the model that has what a configuration says (the model speaks libvirt's XML). */
export function domainOf(settings: Settings, path: string): Xml {
  const folder = posix.dirname(path)
  const kib = String(Number(settings.get('memsize') ?? 0) * 1024)
  const console = settings.get('serial0.filetype') === 'file' ? settings.get('serial0.filename') : undefined
  const disks = [...settings].flatMap(([key, value]) => {
    const unit = /^scsi0:(\d+)\.filename$/.exec(key)?.[1]
    return unit === undefined ? [] : [{ unit: Number(unit), file: posix.resolve(folder, value) }]
  })
  return make('domain', { type: 'vmware' }, [
    // Names of machines need not be different there.
    make('name', {}, posix.basename(path, '.vmx')),
    make('uuid', {}, uuidFrom(`vmx ${path}`)),
    make('memory', { unit: 'KiB' }, kib),
    make('vcpu', {}, settings.get('numvcpus') ?? '1'),
    make('os', settings.get('firmware') === 'efi' ? { firmware: 'efi' } : {}, [
      make('type', { arch: 'x86_64' }, 'hvm'),
    ]),
    make('devices', {}, [
      ...disks.map(({ unit, file }) =>
        make('disk', { type: 'file', device: 'disk' }, [
          make('driver', { name: 'vmware', type: 'raw' }),
          make('source', { file: flatOf(file) }),
          make('target', {
            dev: `sd${String.fromCharCode('a'.charCodeAt(0) + unit)}`,
            bus: settings.get('scsi0.virtualdev') ?? 'lsilogic',
          }),
        ]),
      ),
      make('interface', { type: 'network' }, [
        make('source', { network: settings.get('ethernet0.networkname') ?? 'VM Network' }),
        make('model', { type: settings.get('ethernet0.virtualdev') ?? 'vmxnet3' }),
      ]),
      console === undefined
        ? undefined
        : make('serial', { type: 'file' }, [
            make('source', { path: posix.resolve(folder, console), append: 'on' }),
            make('target', { port: '0' }),
          ]),
    ]),
  ])
}
