import t from 'tap'
import { confirms, contradiction, observedGuest, observedHypervisors } from './observed.js'

t.test('a guest is known by what it says of itself', async t => {
  const guests: readonly (readonly [Record<string, string>, string, string])[] = [
    [
      { os: 'Debian GNU/Linux 12 (bookworm)', 'os.id': 'debian', 'os.release': '12', release: '12.8' },
      'debian',
      '12',
    ],
    [
      { 'os.id': 'rhel', 'os.release': '9.6', release: 'Red Hat Enterprise Linux release 9.6 (Plow)' },
      'rhel',
      '9.6',
    ],
    [{ release: 'Red Hat Enterprise Linux Server release 5.11 (Tikanga)' }, 'rhel', '5.11'],
    [
      { 'os.id': 'sles', 'os.release': '11.4', release: 'SUSE Linux Enterprise Server 11 (x86_64)' },
      'sles',
      '11 SP4',
    ],
    [
      { os: 'Microsoft Windows Server 2008 R2 Standard', 'os.servicepack': 'Service Pack 1' },
      'windows-server',
      '2008 R2 SP1',
    ],
    [
      { os: 'Microsoft(R) Windows(R) Server 2003, Standard Edition', 'os.servicepack': 'Service Pack 2' },
      'windows-server',
      '2003 R2 SP2',
    ],
    [
      { os: 'Microsoftr Windows Serverr 2008 Standard', 'os.servicepack': 'Service Pack 2' },
      'windows-server',
      '2008 SP2',
    ],
    [{ os: 'Microsoft Windows Server 2025 Standard' }, 'windows-server', '2025'],
  ]
  for (const [facts, product, version] of guests) {
    const observed = observedGuest(facts)
    t.equal(observed?.product, product)
    t.ok(observed !== null && confirms({ product, version }, observed), `${product} ${version}`)
    t.equal(contradiction({ product, version }, observed === null ? [] : [observed]), null)
  }
  t.equal(observedGuest({ kernel: 'Linux 6.1' }), null)
})

t.test('another product or version is a contradiction, and silence is none', async t => {
  const debian = observedGuest({ 'os.id': 'debian', 'os.release': '12', release: '12.8' })
  t.match(
    contradiction({ product: 'rhel', version: '9.6' }, debian ? [debian] : []),
    /declares rhel 9\.6.*debian 12\.8/,
  )
  t.match(
    contradiction({ product: 'debian', version: '11' }, debian ? [debian] : []),
    /debian 11.*debian 12\.8/,
  )
  t.equal(contradiction({ product: 'linux', version: '1' }, debian ? [debian] : []), null)
  t.equal(contradiction({ product: 'rhel', version: '9.6' }, []), null)
  const rhel = observedGuest({ 'os.id': 'rhel', 'os.release': '9.6' })
  t.match(
    contradiction({ product: 'rhel', version: '9' }, rhel ? [rhel] : []),
    /declares rhel 9,/,
    'minors belong to the version',
  )
  const seven = observedGuest({ os: 'Microsoft Windows 11 Pro' })
  t.match(
    contradiction({ product: 'windows-server', version: '2025' }, seven ? [seven] : []),
    /it is windows$/,
  )
})

t.test('a host is every product that it shows', async t => {
  const debian = {
    'host product': 'Debian GNU/Linux 12 (bookworm)',
    'libvirt version': '9.0.0',
    hypervisor: 'QEMU 7.2.22',
  }
  t.same(observedHypervisors(debian), [
    { product: 'debian-kvm', versions: ['12'] },
    { product: 'qemu', versions: ['7.2.22'] },
  ])
  const xen = {
    'host product': 'Red Hat Enterprise Linux Server release 5.3 (Tikanga)',
    hypervisor: 'Xen 3.1.0',
  }
  t.same(observedHypervisors(xen), [
    { product: 'rhel-xen', versions: ['5.3'] },
    { product: 'xen', versions: ['3.1.0'] },
  ])
  t.same(observedHypervisors({ product: 'hyper-v', version: '2022' }), [
    { product: 'hyper-v', versions: ['2022'] },
  ])
  t.same(observedHypervisors({ 'host cpus': '4' }), [])
  t.equal(contradiction({ product: 'debian-kvm', version: '12' }, observedHypervisors(debian)), null)
  t.equal(contradiction({ product: 'qemu', version: '7.2' }, observedHypervisors(debian)), null)
  t.match(
    contradiction({ product: 'rhel-kvm', version: '9.6' }, observedHypervisors(debian)),
    /rhel-kvm 9\.6, and it is debian-kvm 12/,
  )
})
