import t from 'tap'
import { uuidOf } from '../shared/names.js'
import { type CloneRequest, cloneDomain, macFor, NotCloneable } from './clone.js'
import { differences } from './declared.js'
import { macs, writableDisks } from './domain.js'
import { ownFiles } from './own-files.js'
import { childrenOf, find, parseXml, textAt } from './xml.js'

/** In the form of `virsh dumpxml --inactive`, https://libvirt.org/formatdomain.html. */
const template = `<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>ws&amp;2008</name>
  <uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>
  <memory unit='KiB'>2097152</memory>
  <vcpu placement='static'>2</vcpu>
  <os firmware='efi'>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <nvram>/var/lib/libvirt/qemu/nvram/ws2008_VARS.fd</nvram>
  </os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' cache='none'/>
      <source file='/images/system.img'/>
      <backingStore/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/data/second.qcow2'/>
      <target dev='vdb' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'>
      <source file='/images/tools.iso'/>
      <target dev='sda' bus='sata'/>
      <readonly/>
    </disk>
    <interface type='network'>
      <mac address='52:54:00:AA:bb:01'/>
      <source network='default'/>
      <target dev='vnet7'/>
      <model type='e1000'/>
    </interface>
    <serial type='pty'><target port='0'/></serial>
    <console type='pty'><target type='serial' port='0'/></console>
    <channel type='unix'>
      <source mode='bind' path='/var/lib/libvirt/qemu/f16x86_64.agent'/>
      <target type='virtio' name='org.qemu.guest_agent.0'/>
    </channel>
    <graphics type='vnc' port='5901' autoport='no' listen='127.0.0.1'/>
  </devices>
  <qemu:commandline><qemu:arg value='-d&#10;x'/></qemu:commandline>
</domain>`

const request: CloneRequest = {
  template,
  instance: 'gc-r-e1-1',
  how: 'overlay',
  path: '/clean/base.qcow2',
  keepMacs: false,
  consoleLog: true,
  spareVcpus: true,
  description: 'made by <someone>',
}

t.test('an overlay shares nothing that can be written with its VM', async t => {
  const { xml, files, console } = cloneDomain(request)
  const domain = parseXml(xml)
  t.equal(textAt(domain, 'name'), 'gc-r-e1-1')
  t.equal(textAt(domain, 'uuid'), uuidOf('gc-r-e1-1'))
  t.equal(textAt(domain, 'description'), 'made by <someone>')
  t.strictSame(files, [
    { from: '/clean/base.qcow2', to: '/clean/gc-r-e1-1.vda.qcow2', how: 'overlay' },
    { from: '/data/second.qcow2', to: '/data/gc-r-e1-1.vdb.qcow2', how: 'overlay' },
    {
      from: '/var/lib/libvirt/qemu/nvram/ws2008_VARS.fd',
      to: '/var/lib/libvirt/qemu/nvram/gc-r-e1-1.nvram.fd',
      how: 'copy',
    },
  ])
  t.strictSame(
    writableDisks(domain).map(({ file, element }) => [
      file,
      find(element, 'driver')?.attributes,
      childrenOf(element, 'backingStore').length,
    ]),
    [
      ['/clean/gc-r-e1-1.vda.qcow2', { name: 'qemu', type: 'qcow2', cache: 'none' }, 0],
      ['/data/gc-r-e1-1.vdb.qcow2', { name: 'qemu', type: 'qcow2' }, 0],
    ],
  )
  t.ok(xml.includes("<source file='/images/tools.iso'/>"), 'a CD is shared')
  t.strictSame(macs(domain), [macFor('gc-r-e1-1 0')])
  t.notMatch(xml, /vnet7|f16x86_64\.agent|5901|<console/)
  t.equal(console, '/var/log/libvirt/qemu/gc-r-e1-1.console.log')
  t.ok(xml.includes(`<log file='${console}' append='on'/>`))
  t.ok(xml.includes("<qemu:arg value='-d&#10;x'/>"), 'what libvirt does not know is passed on unchanged')
  t.strictSame(
    ownFiles(domain, 'gc-r-e1-1').filter(file => !file.includes('console')),
    files.map(({ to }) => to),
    'all files are found again by the XML alone',
  )
  t.strictSame(ownFiles(parseXml(template), 'gc-r-e1-1'), [], 'files of the VM are nobody else’s')
})

t.test('a copy keeps formats; a path that is a disk of the VM takes its place', async t => {
  const { xml, files } = cloneDomain({ ...request, how: 'copy', path: '/data/second.qcow2', keepMacs: true })
  const domain = parseXml(xml)
  t.strictSame(
    files.slice(0, 2).map(({ from, to }) => [from, to]),
    [
      ['/images/system.img', '/images/gc-r-e1-1.vda.img'],
      ['/data/second.qcow2', '/data/gc-r-e1-1.vdb.img'],
    ],
  )
  t.strictSame(
    writableDisks(domain).map(({ element }) => find(element, 'driver')?.attributes.type),
    ['raw', 'qcow2'],
  )
  t.strictSame(macs(domain), ['52:54:00:aa:bb:01'])
})

t.test('libvirt before 1.3.3 writes the console in place of its terminal', async t => {
  const { xml, console } = cloneDomain({ ...request, consoleLog: false })
  t.ok(xml.includes(`<serial type='file'><source path='${console}'/>`))
})

t.test('what cannot be cloned says why', async t => {
  const change = (from: string | RegExp, to: string): (() => unknown) => {
    return () => cloneDomain({ ...request, template: template.replace(from, to) })
  }
  t.throws(change("type='kvm'", "type='xen'"), NotCloneable)
  t.throws(
    change(
      /<disk type='file' device='disk'>\s+<driver name='qemu' type='qcow2'\/>\s+<source file/,
      "<disk type='block' device='disk'><source dev",
    ),
    {
      message: /disk vdb is not a file/,
    },
  )
  t.throws(change(/<disk[\s\S]*<\/disk>/, ''), { message: /no disk/ })
})

t.test('a VM that differs from what the lab declares is found out', async t => {
  const domain = parseXml(template)
  const declared = {
    name: 'x',
    vcpus: 2,
    memoryBytes: 2 ** 31,
    firmware: 'uefi',
    disk: 'virtio-blk',
    nic: 'e1000',
    machine: 'q35',
  } as const
  t.strictSame(differences(domain, declared), [])
  t.strictSame(differences(domain, { name: 'nothing said' }), [])
  t.strictSame(
    differences(domain, {
      ...declared,
      vcpus: 4,
      memoryBytes: 2 ** 32,
      firmware: 'bios',
      nic: 'virtio-net',
      machine: 'pc',
    }),
    [
      'vcpus is 2, not 4',
      'memory in KiB is 2097152, not 4194304',
      'firmware is uefi, not bios',
      'nic is e1000, not virtio-net',
      'machine is pc-q35-7.2, not pc',
    ],
  )
})

t.test('XML: written and read back the same, and nothing but XML is read', async t => {
  const { xml } = cloneDomain(request)
  t.strictSame(parseXml(cloneDomain({ ...request, template }).xml), parseXml(xml))
  for (const wrong of [
    '',
    '<a>',
    '<a></b>',
    '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    'error: no domain',
  ]) {
    t.throws(() => parseXml(wrong), wrong)
  }
})

t.test('all vCPUs but the first can be taken away, unless the VM says itself which ones', async t => {
  const vcpusOf = (xml: string): unknown[] =>
    childrenOf(find(parseXml(xml), 'vcpus'), 'vcpu').map(({ attributes }) => attributes)
  t.strictSame(vcpusOf(cloneDomain(request).xml), [
    { id: '0', enabled: 'yes', hotpluggable: 'no' },
    { id: '1', enabled: 'yes', hotpluggable: 'yes' },
  ])
  const some = template.replace("<vcpu placement='static'>2<", "<vcpu current='2'>3<")
  t.match(vcpusOf(cloneDomain({ ...request, template: some }).xml), [
    { enabled: 'yes' },
    { enabled: 'yes' },
    { enabled: 'no', hotpluggable: 'yes' },
  ])
  const own = template.replace(
    '</vcpu>',
    "</vcpu><vcpus><vcpu id='0' enabled='yes' hotpluggable='no'/></vcpus>",
  )
  t.equal(vcpusOf(cloneDomain({ ...request, template: own }).xml).length, 1)
  t.strictSame(vcpusOf(cloneDomain({ ...request, spareVcpus: false }).xml), [])
  t.strictSame(
    vcpusOf(cloneDomain({ ...request, template: template.replace('>2</vcpu>', '>1</vcpu>') }).xml),
    [],
  )
})
