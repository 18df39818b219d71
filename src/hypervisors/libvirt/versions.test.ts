import t from 'tap'
import type { Configuration } from '../../config/model.js'
import { abilitiesOf, expectedLibrary, hasFeature, isAtLeast } from './versions.js'

const configuration: Configuration = { name: 'any' }
const abilities = (library: string, xen = false, change: Partial<Configuration> = {}): string[] =>
  [...abilitiesOf(library, xen, { configuration: { ...configuration, ...change } })].sort()

t.test('features come with versions, compared by number', async t => {
  t.notOk(hasFeature('0.7.7', 'snapshot'))
  t.ok(hasFeature('0.8.0', 'snapshot'))
  t.ok(hasFeature('0.10.2', 'reset'), '0.10 is later than 0.9')
  t.notOk(hasFeature('0.9.6', 'reset'))
  t.notOk(hasFeature('1.2.13', 'addresses'))
  t.ok(hasFeature('1.2.14', 'addresses'))
  t.notOk(isAtLeast('unknown', '0.1'))
})

t.test('RHEL 5 can start, stop and pause; today’s hosts can all', async t => {
  const base = ['attach-disk', 'attach-nic', 'console', 'pause', 'stop']
  t.strictSame(abilities('0.3.3', true), base, 'Xen, libvirt 0.3.3')
  t.strictSame(abilities('0.6.3'), base, 'KVM, libvirt 0.6.3')
  t.strictSame(abilities('0.8.1'), [...base, 'revert', 'snapshot'].sort())
  t.strictSame(abilities('9.0.0'), [...base, 'nmi', 'reset', 'revert', 'screenshot', 'snapshot'].sort())
  t.strictSame(abilities('9.0.0', true), base, 'Xen of today')
  t.strictSame(
    abilities('9.0.0', false, { firmware: 'uefi' }),
    [...base, 'nmi', 'reset', 'screenshot'].sort(),
  )
})

t.test('the libvirt that a product’s version comes with', async t => {
  const of = (product: string, version: string): string => expectedLibrary({ product, version })
  t.equal(of('rhel-kvm', '5.4'), '0.6.3')
  t.equal(of('rhel-kvm', '6.3'), '0.8.1')
  t.equal(of('rhel-kvm', '6.10'), '0.10.2')
  t.equal(of('rhel-kvm', '9.6'), '4.5.0')
  t.equal(of('sles-kvm', '11 SP3'), '1.0.5')
  t.ok(isAtLeast(of('qemu', '1'), '4.2.0'))
})
