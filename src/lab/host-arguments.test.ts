import t from 'tap'
import type { BuiltImage } from '../hypervisors/shared/image.js'
import { hostArguments } from './host-arguments.js'

const image = (hypervisor?: string): BuiltImage => ({
  name: 'host',
  folder: '/i',
  disk: '/i/disk.qcow2',
  diskFormat: 'qcow2',
  kernel: '/i/vm,linuz',
  initrd: '/i/initrd.img',
  keyPath: '/i/key',
  hostKey: 'SHA256:x',
  knownHosts: '/i/known_hosts',
  guests: new Map(),
  ...(hypervisor === undefined ? {} : { hypervisor }),
  manifest: {
    format: 1,
    name: 'host',
    title: 'Host',
    recipeDigest: '',
    builtAt: '',
    disk: { file: 'disk.qcow2', format: 'qcow2' },
    kernelArguments: ['rw', 'systemd.machine_id={machineId}', 'console=hvc0'],
    bootedMark: 'up',
    hardware: { disk: [], nic: [] },
    hostKey: 'SHA256:x',
    packages: [],
    files: {},
  },
})
const endpoint = { host: '127.0.0.1', port: 22825, jumps: [] }
const after = (args: readonly string[], name: string): string | undefined => args[args.indexOf(name) + 1]

t.test('Xen boots in the place of the kernel, with kernel and initrd as its modules', async t => {
  const args = hostArguments({
    name: 'xen-1',
    image: image('/i/xen.elf'),
    overlay: '/o',
    console: '/c',
    endpoint,
  })
  t.equal(after(args, '-kernel'), '/i/xen.elf')
  t.equal(after(args, '-initrd'), '/i/vm,,linuz rw console=hvc0,/i/initrd.img')
  t.match(after(args, '-append'), /^dom0_mem=\d+M,max:\d+M com1=115200,8n1 console=com1$/)
})

t.test('the host is reached on loopback alone, and reaches nothing itself', async t => {
  const args = hostArguments({ name: 'h', image: image(), overlay: '/o', console: '/c', endpoint })
  t.match(after(args, '-netdev'), 'user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:22825-:22')
  t.equal(after(args, '-kernel'), '/i/vm,linuz')
  t.equal(after(args, '-append'), 'rw console=hvc0')
})
