import t from 'tap'
import type { Configuration } from '../../config/model.js'
import { canHotplug, canSnapshot, hardwareOf } from './hardware.js'

const base: Configuration = { name: 'x', vcpus: 2, memoryBytes: 2 ** 28 }
const guest = { id: 'g', arch: 'x86_64' }

t.test('what a configuration leaves open gets this driver’s defaults', async t => {
  const { machine, firmware, cpu, disk, nic, nicDevice, vcpus, memoryBytes } = hardwareOf(base, guest)
  t.same(
    { machine, firmware, cpu, disk, nic, nicDevice, vcpus, memoryBytes },
    {
      machine: 'pc',
      firmware: 'bios',
      cpu: null,
      disk: 'virtio-blk',
      nic: 'virtio-net',
      nicDevice: 'virtio-net-pci',
      vcpus: 2,
      memoryBytes: 2 ** 28,
    },
  )
})

t.test('disk and network models', async t => {
  const devices = (disk: string, machine = 'pc'): readonly string[] => {
    return hardwareOf({ ...base, disk, machine }, guest).diskDevices('disk0')
  }
  t.same(devices('virtio-blk'), ['virtio-blk-pci,drive=disk0'])
  t.same(devices('scsi'), ['virtio-scsi-pci,id=scsi', 'scsi-hd,bus=scsi.0,drive=disk0'])
  t.same(devices('ide'), ['ide-hd,bus=ide.0,drive=disk0'])
  t.same(devices('sata', 'q35'), ['ich9-ahci,id=sata', 'ide-hd,bus=sata.0,drive=disk0'])
  t.same(devices('nvme'), ['nvme,serial=guestcert,drive=disk0'])
  t.equal(hardwareOf({ ...base, nic: 'virtio' }, guest).nic, 'virtio-net', 'an alias is said by its name')
  t.equal(hardwareOf({ ...base, nic: 'e1000' }, guest).nicDevice, 'e1000')
})

t.test('what cannot be honoured is refused, never replaced', async t => {
  const cases: readonly [Partial<Configuration>, RegExp][] = [
    [{ disk: 'floppy' }, /disk floppy: virtio-blk, /],
    [{ disk: 'constructor' }, /disk constructor/],
    [{ nic: 'synthetic' }, /nic synthetic/],
    [{ machine: 'pc,accel=kvm' }, /machine pc,accel=kvm/],
    [{ machine: 'microvm' }, /machine microvm/],
    [{ machine: 'q35', disk: 'ide' }, /disk ide on q35.*sata/],
    [{ mode: 'pv' }, /mode pv/],
    [{ generation: 2 }, /generation 2/],
  ]
  for (const [change, message] of cases) {
    const expected = { name: 'InfraError', message, context: { cause: 'runner', code: 'driver' } }
    t.throws(() => hardwareOf({ ...base, ...change }, guest), expected)
  }
  t.throws(() => hardwareOf(base, { id: 'g', arch: 's390x' }), { message: /arch s390x/ })
  t.throws(() => hardwareOf({ name: 'x', vcpus: 1 }, guest), { message: /without vcpus and memory/ })
})

t.test('snapshots only where QEMU can write the state of the disk’s device', async t => {
  t.ok(canSnapshot(base))
  t.ok(canSnapshot({ ...base, disk: 'scsi' }))
  t.notOk(canSnapshot({ ...base, disk: 'nvme' }))
  t.notOk(canSnapshot({ ...base, disk: 'unheard-of' }))
})

t.test('devices are added to a bus that takes them', async t => {
  t.ok(canHotplug({ name: 'x' }))
  t.ok(canHotplug({ name: 'x', machine: 'pc-i440fx-7.2' }))
  t.notOk(canHotplug({ name: 'x', machine: 'q35' }))
  t.notOk(hardwareOf({ ...base, machine: 'pc-q35-7.2' }, guest).hotplug)
})
