import t from 'tap'
import { diskPlaces, parseVmx, vmxText } from '../shared/vmx.js'
import { differences, factsOf } from '../shared/vmx-hardware.js'
import { instanceVmx } from './vmx.js'

const text = `.encoding = "UTF-8"
displayName = "rhel9 |22clean|22"
virtualHW.version = "20"
guestOS = "rhel9-64"
numvcpus = "2"
memSize = "2048"
firmware = "efi"
nvram = "rhel9.nvram"
scsi0.present = "TRUE"
scsi0.virtualDev = "pvscsi"
scsi0:0.present = "TRUE"
scsi0:0.fileName = "rhel9-000001.vmdk"
sata0:0.deviceType = "cdrom-image"
sata0:0.fileName = "/vmfs/volumes/iso/rhel9.iso"
ethernet0.present = "TRUE"
ethernet0.virtualDev = "vmxnet3"
ethernet0.addressType = "static"
ethernet0.address = "00:50:56:00:00:01"
ethernet0.generatedAddressOffset = "0"
uuid.bios = "56 4d"
uuid.location = "56 4d"
sched.swap.derivedName = "/vmfs/volumes/x/rhel9.vswp"
serial0.fileName = "theirs.log"
`

t.test('an instance has a disk, addresses and a console of its own, and asks nobody', t => {
  const source = parseVmx(text)
  t.equal(source.get('displayname'), 'rhel9 "clean"')
  const own = parseVmx(vmxText(instanceVmx(source, { instance: 'gc-run-e1-1', disk: 'gc-run-e1-1.vmdk' })))
  t.match(Object.fromEntries(own), {
    displayname: 'gc-run-e1-1',
    'scsi0:0.filename': 'gc-run-e1-1.vmdk',
    'sata0:0.filename': '/vmfs/volumes/iso/rhel9.iso',
    'ethernet0.addresstype': 'generated',
    'ethernet0.virtualdev': 'vmxnet3',
    'uuid.action': 'create',
    'msg.autoanswer': 'TRUE',
    'serial0.filename': 'console.log',
    firmware: 'efi',
  })
  for (const key of ['nvram', 'uuid.bios', 'uuid.location', 'sched.swap.derivedname', 'ethernet0.address']) {
    t.notOk(own.has(key), key)
  }
  t.end()
})

t.test('a machine without just one disk is not copied', t => {
  const source = parseVmx(text)
  t.strictSame(diskPlaces(source), ['scsi0:0'])
  const two = new Map([...source, ['scsi0:1.filename', 'data.vmdk']])
  t.throws(() => instanceVmx(two, { instance: 'gc-run-e1-1', disk: 'x.vmdk' }), /it has 2 disks/)
  const none = new Map([...source, ['scsi0:0.present', 'FALSE']])
  t.throws(() => instanceVmx(none, { instance: 'gc-run-e1-1', disk: 'x.vmdk' }), /it has 0 disks/)
  t.end()
})

t.test('what is certified is what ran', t => {
  const vmx = parseVmx(text)
  const declared = {
    name: 'x',
    vcpus: 2,
    memoryBytes: 2 ** 31,
    firmware: 'uefi',
    disk: 'pvscsi',
    nic: 'vmxnet3',
  } as const
  t.strictSame(differences(vmx, declared), [])
  t.strictSame(differences(vmx, { ...declared, vcpus: 4, firmware: 'bios', disk: 'lsilogic' }), [
    'vcpus is 2, not 4',
    'firmware is uefi, not bios',
    'disk is pvscsi, not lsilogic',
  ])
  t.match(factsOf('rhel9', vmx), { vm: 'rhel9', 'vm memory': '2048 MiB', 'vm hardware': 'vmx-20' })
  t.end()
})
