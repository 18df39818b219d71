import t from 'tap'
import { kernelCommandLine, qemuArguments, type StartRequest } from './arguments.js'
import { hardwareOf } from './hardware.js'

const hardware = hardwareOf(
  { name: 'x', vcpus: 3, memoryBytes: 300 * 2 ** 20, disk: 'scsi', nic: 'e1000', machine: 'q35' },
  { id: 'g', arch: 'x86_64' },
)
const request: StartRequest = {
  name: 'gc-run-1',
  hardware,
  accelerator: 'tcg',
  overlay: '/i/overlay.qcow2',
  uefi: null,
  direct: { kernel: '/k', initrd: '/r', append: 'root=LABEL=x' },
  console: '/e/console.log',
  qmpSocket: '/s/qmp',
  pidFile: '/i/pid',
}

/** The values given to an option, in order. */
function values(args: readonly string[], option: string): string[] {
  return args.flatMap((arg, index) => (arg === option ? [args[index + 1] ?? ''] : []))
}

t.test('hardware, accelerator and direct start', async t => {
  const args = qemuArguments(request)
  t.same(values(args, '-machine'), ['q35'])
  t.same(values(args, '-accel'), ['tcg,thread=multi'])
  t.same(values(args, '-cpu'), ['max'])
  t.same(values(args, '-smp'), ['cpus=3'])
  t.same(values(args, '-m'), ['307200K'])
  t.ok(values(args, '-device').includes('scsi-hd,bus=scsi.0,drive=disk0'))
  t.ok(values(args, '-device').includes('e1000,netdev=net0'))
  t.same(
    [values(args, '-kernel'), values(args, '-initrd'), values(args, '-append')],
    [['/k'], ['/r'], ['root=LABEL=x']],
  )
  t.notOk(args.includes('-no-reboot'), 'a guest may reboot')
})

t.test('KVM gives the host’s CPU, unless the configuration names one', async t => {
  t.same(values(qemuArguments({ ...request, accelerator: 'kvm' }), '-cpu'), ['host'])
  const named = { ...request, hardware: { ...hardware, cpu: 'Nehalem' } }
  t.same(values(qemuArguments(named), '-cpu'), ['Nehalem'])
})

t.test('the guest reaches nothing, and is reached on loopback alone', async t => {
  t.same(values(qemuArguments(request), '-netdev'), ['user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:0-:22'])
})

t.test('a path with commas or quotes stays one path', async t => {
  const args = qemuArguments({
    ...request,
    console: '/e,x/console.log',
    overlay: '/i,"x/o.qcow2',
    name: 'a,b',
  })
  t.match(values(args, '-chardev')[0], /path=\/e,,x\/console\.log$/)
  t.same(values(args, '-name'), ['guest=a,,b'])
  t.equal(JSON.parse(values(args, '-blockdev')[0] ?? '').file.filename, '/i,"x/o.qcow2')
})

t.test('UEFI brings two flash disks, the variables being the instance’s own', async t => {
  const args = qemuArguments({ ...request, uefi: { code: '/u/code', variables: '/i/variables.qcow2' } })
  t.same(values(args, '-machine'), ['q35,pflash0=uefi-code,pflash1=variables0'])
  const nodes = values(args, '-blockdev').map(text => JSON.parse(text))
  t.match(nodes[0], { 'node-name': 'uefi-code', 'read-only': true, file: { filename: '/u/code' } })
  t.match(nodes[1], { 'node-name': 'variables0', driver: 'qcow2', file: { filename: '/i/variables.qcow2' } })
})

t.test('a disk with a boot loader is started without a kernel of ours', async t => {
  const args = qemuArguments({ ...request, direct: null })
  t.notOk(args.includes('-kernel') || args.includes('-append'))
})

t.test('each instance has a machine id of its own', async t => {
  t.equal(kernelCommandLine(['rw', 'id={machineId}'], 'abc'), 'rw id=abc')
})
