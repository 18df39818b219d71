import t from 'tap'
import type { Placement } from '../../config/model.js'
import { abilitiesOf, expectedLibrary, hasFeature, isAtLeast } from './versions.js'

const placement = {
  configuration: { name: 'any', vcpus: 2 },
  clean: { kind: 'overlay', path: '/x' },
} as const
const abilities = (library: string, xen = false, change: Partial<Placement> = {}): string[] =>
  [...abilitiesOf(library, xen, { ...placement, ...change })].sort()

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
  const xen = [...base, 'set-memory', 'set-vcpus'].sort()
  const today = [...base, 'nmi', 'reset', 'revert', 'screenshot', 'set-memory', 'set-vcpus', 'snapshot']
  t.strictSame(abilities('0.3.3', true), xen, 'Xen, libvirt 0.3.3')
  t.strictSame(abilities('0.6.3'), base, 'KVM, libvirt 0.6.3')
  t.strictSame(abilities('0.8.1'), [...base, 'revert', 'snapshot'].sort())
  t.strictSame(abilities('9.0.0'), [...today].sort())
  t.strictSame(abilities('9.0.0', true), xen, 'Xen of today')
  const uefi = { configuration: { name: 'any', vcpus: 2, firmware: 'uefi' } } as const
  t.strictSame(
    abilities('9.0.0', false, uefi),
    today.filter(name => name !== 'snapshot' && name !== 'revert').sort(),
  )
})

t.test('vCPUs are taken away where there is more than one, and where QEMU lets go of them', async t => {
  t.ok(abilities('2.2.0').includes('set-vcpus'))
  t.notOk(abilities('2.1.0').includes('set-vcpus'), 'libvirt could only add them')
  t.notOk(abilities('9.0.0', false, { clean: { kind: 'none' } }).includes('set-vcpus'))
  t.ok(abilities('9.0.0', true, { clean: { kind: 'none' } }).includes('set-vcpus'), 'Xen needs no clone')
  t.notOk(abilities('9.0.0', false, { configuration: { name: 'one', vcpus: 1 } }).includes('set-vcpus'))
})

t.test('a guest is moved where it is a domain of its own and has a second host', async t => {
  const away = { migratesTo: 'kvm-2' }
  t.ok(abilities('0.9.2', false, away).includes('migrate'))
  t.notOk(abilities('9.0.0').includes('migrate'), 'without a second host')
  t.notOk(abilities('0.9.1', false, away).includes('migrate'))
  t.notOk(abilities('9.0.0', true, away).includes('migrate'))
  t.notOk(abilities('9.0.0', false, { ...away, clean: { kind: 'none' } }).includes('migrate'))
  t.notOk(abilities('9.0.0', false, { ...away, clean: { kind: 'snapshot', name: 's' } }).includes('migrate'))
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
