import t from 'tap'
import { cloneConfig } from './clone.js'
import { parseConfig } from './config.js'
import { differences } from './declared.js'
import { parseDisk } from './disks.js'

const instance = 'gc-20260101-000000-abcd-e1-1'
const template = parseConfig(`name = "debian"
uuid = "0"
type = "pv"
memory = 256
on_crash = "destroy"
disk = [ "format=raw,vdev=xvda,access=rw,target=/img/base.raw", "file:/img/data.img,xvdb,w", "phy:/dev/cd,hdc:cdrom,r" ]
vif = [ "bridge=xenbr0,mac=00:16:3E:00:00:10", "bridge=xenbr1" ]
`)

t.test('an instance is a domain of its own with disks of its own', async t => {
  const { config, files } = cloneConfig({ template, instance, path: '/img/base.raw', keepMacs: false })
  t.equal(config.get('name'), instance)
  t.not(config.get('uuid'), '0')
  t.equal(config.get('on_crash'), 'preserve')
  t.same(files, [
    { from: '/img/base.raw', to: `/img/${instance}.xvda.img` },
    { from: '/img/data.img', to: `/img/${instance}.xvdb.img` },
  ])
  const disks = config.get('disk') as string[]
  t.same(
    disks.map(disk => parseDisk(disk).target),
    [...files.map(({ to }) => to), '/dev/cd'],
  )
  t.notOk(JSON.stringify([...config]).includes('/img/base.raw'), 'nothing writes to the clean disk')
})

t.test('its cards have addresses of their own, unless the lab counts on them', async t => {
  const own = cloneConfig({ template, instance, path: '/img/base.raw', keepMacs: false })
  const again = cloneConfig({ template, instance, path: '/img/base.raw', keepMacs: false })
  t.same(own.macs, again.macs)
  t.equal(new Set(own.macs).size, 2)
  for (const mac of own.macs) {
    t.match(mac, /^00:16:3e:[0-7][0-9a-f](:[0-9a-f]{2}){2}$/)
  }
  t.same(cloneConfig({ template, instance, path: '/img/base.raw', keepMacs: true }).macs, [
    '00:16:3e:00:00:10',
  ])
})

t.test('a clean disk takes the place of the first one when it is none of them', async t => {
  const { files } = cloneConfig({ template, instance, path: '/clean/x.raw', keepMacs: true })
  t.match(files[0], { from: '/clean/x.raw', to: `/clean/${instance}.xvda.img` })
})

t.test('a disk that instances would share is refused', async t => {
  const shared = parseConfig('name = "a"\ndisk = [ "/a.img,raw,xvda,w", "phy:/dev/vg/data,xvdb,w" ]')
  t.throws(() => cloneConfig({ template: shared, instance, path: '/a.img', keepMacs: true }), /share it/)
  const none = parseConfig('name = "a"\ndisk = [ "/a.img,raw,xvda,r" ]')
  t.throws(() => cloneConfig({ template: none, instance, path: '/a.img', keepMacs: true }), /may write to/)
})

t.test('disks are read in the three ways that xl and xm know', async t => {
  t.match(parseDisk('/a,b.img,raw,xvda,w'.replace(',b', 'b')), {
    target: '/ab.img',
    vdev: 'xvda',
    writable: true,
  })
  t.match(parseDisk('vdev=xvda,format=qcow2,target=/a,b.img'), {
    target: '/a,b.img',
    format: 'qcow2',
    writable: true,
  })
  t.match(parseDisk('tap:aio:/a.img,xvda,r'), { target: '/a.img', vdev: 'xvda', writable: false })
  t.match(parseDisk('file:/a.iso,hdc:cdrom,r'), { cdrom: true, vdev: 'hdc' })
})

t.test('a VM that is not as the lab declares it is told apart', async t => {
  const declared = { name: 'x', mode: 'pv', vcpus: 1, memoryBytes: 256 * 2 ** 20, disk: 'xen-blk' } as const
  t.same(differences(template, declared), [])
  t.same(differences(template, { ...declared, mode: 'hvm', vcpus: 2, memoryBytes: 2 ** 30, disk: 'ide' }), [
    'mode is pv, not hvm',
    'vcpus is 1, not 2',
    'memory in MiB is 256, not 1024',
    'disk is xen-blk, not ide',
  ])
  t.same(differences(template, { ...declared, firmware: 'bios' }), ['a pv guest has no firmware, not bios'])
})
