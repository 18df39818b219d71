import t from 'tap'
import type { WrittenPlacement } from '../../config/driver.js'
import type { CleanState } from '../../config/model.js'
import { factsFor, productOf } from './facts.js'
import { hyperVModule } from './module.js'
import { pictureOf } from './picture.js'
import { abilitiesOf, versionOfBuild } from './releases.js'

const copy: CleanState = { kind: 'copy', path: 'D:\\clean.vhdx' }

function offered(version: string, clean: CleanState, generation: 1 | 2): string {
  return [...abilitiesOf({ clean, configuration: { name: 'x', generation } }, version)].sort().join(' ')
}

t.test('what is offered depends on version, generation, and whose machine it is', async t => {
  const always = 'pause reset screenshot stop'
  t.equal(offered('2008 SP2', { kind: 'none' }, 1), 'pause reset stop')
  t.equal(offered('2008 R2 SP1', copy, 1), 'pause reset revert snapshot stop')
  t.equal(offered('2012', { kind: 'none' }, 1), always)
  t.equal(offered('2012 R2', { kind: 'none' }, 1), `nmi ${always}`)
  t.equal(offered('2012', copy, 1), 'attach-disk pause reset revert screenshot snapshot stop')
  t.equal(offered('2012 r2', copy, 2), 'attach-disk nmi pause reset revert screenshot snapshot stop')
  t.equal(offered('2016', copy, 1), 'attach-disk nmi pause reset revert screenshot set-memory snapshot stop')
  t.equal(
    offered('2025', copy, 2),
    'attach-disk attach-nic nmi pause reset revert screenshot set-memory snapshot stop',
  )
})

t.test('a build tells its version', async t => {
  t.equal(versionOfBuild(3790), null)
  t.equal(versionOfBuild(6002), '2008')
  t.equal(versionOfBuild(7601), '2008 R2')
  t.equal(versionOfBuild(9200), '2012')
  t.equal(versionOfBuild(9600), '2012 R2')
  t.equal(versionOfBuild(20348), '2022')
  t.equal(versionOfBuild(26100), '2025')
})

t.test('a host shows its product and version', async t => {
  const base = {
    revision: '2227',
    name: 'HV01',
    cpus: 16,
    memory: 2 ** 36,
    folder: 'D:\\',
    cpu: 'Xeon',
    machine: ' ',
    firmware: null,
  }
  const facts = { ...base, build: 20348, product: 'Windows Server 2022 Datacenter' }
  t.strictSame(productOf(facts), { product: 'hyper-v', version: '2022' })
  t.match(factsFor(facts), { 'host build': '20348.2227', 'host memory': '65536 MiB' })
  t.notOk('host machine' in factsFor(facts))
  const bare = { ...base, build: 9600, product: 'Hyper-V Server 2012 R2' }
  t.strictSame(productOf(bare), { product: 'hyper-v-server', version: '2012 R2' })
  const old = { ...base, build: 7601, product: 'Windows Server 2008 R2 Standard' }
  t.strictSame(productOf(old), { product: 'hyper-v', version: '2008 R2 SP1' })
  t.strictSame(productOf({ ...base, build: 22631, product: 'Windows 11 Pro' }), {})
})

t.test('a placement names a machine, and a disk as Windows writes it', async t => {
  const mistakes = (given: Partial<WrittenPlacement>): number =>
    hyperVModule.placementMistakes({ configuration: {}, emulated: false, folder: '/', ...given }).length
  t.equal(mistakes({ vm: 'a', clean: { overlay: 'D:\\clean\\a.vhdx' } }), 0)
  t.equal(mistakes({ vm: 'a', clean: { copy: 'd:/clean/a.VHD' } }), 0)
  t.equal(mistakes({ vm: 'a', clean: { snapshot: 'sealed' } }), 0)
  t.equal(mistakes({ vm: 'a', clean: 'none' }), 0)
  t.equal(mistakes({ clean: 'none' }), 1)
  t.equal(mistakes({ vm: 'a', clean: { overlay: '/var/lib/a.qcow2' } }), 1)
  t.equal(mistakes({ vm: 'a', clean: { copy: 'clean\\a.vhdx' } }), 1)
  t.equal(mistakes({ vm: 'a', clean: { copy: 'D:\\a.iso' } }), 1)
})

t.test('a picture of RGB565 becomes a pixmap, and one that is cut is none', async t => {
  const pixels = Buffer.from([0x00, 0xf8, 0xe0, 0x07, 0x1f, 0x00, 0xff, 0xff])
  const picture = pictureOf(pixels, 2, 2)
  t.equal(picture?.subarray(0, 11).toString(), 'P6\n2 2\n255\n')
  t.strictSame(
    [...(picture ?? Buffer.alloc(0)).subarray(11)],
    [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255],
  )
  t.equal(pictureOf(pixels, 3, 2), null)
  t.equal(pictureOf(Buffer.alloc(0), 0, 0), null)
})
