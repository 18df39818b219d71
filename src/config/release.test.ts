import t from 'tap'
import { isRelease, parseRelease } from './release.js'

const cut = '--guestcert--\n'

/** What the command prints for these files, in its order. */
function said({ os = '', suse = '', redhat = '', debian = '' }: Readonly<Record<string, string>>): string {
  return [os, suse, redhat, debian].map(text => `${text}${cut}`).join('')
}

t.test('each distribution says who it is in its own way', async t => {
  const releases: readonly (readonly [string, string, readonly string[]])[] = [
    [
      said({ os: 'PRETTY_NAME="Debian"\nVERSION_ID="12"\nID=debian\n', debian: '12.8\n' }),
      'debian',
      ['12', '12.8'],
    ],
    [
      said({ os: 'ID=ubuntu\nVERSION_ID="22.04"\nVERSION="22.04.5 LTS (Jammy)"\n' }),
      'ubuntu',
      ['22.04', '22.04.5'],
    ],
    [said({ os: 'ID="rhel"\nVERSION_ID="9.6"\n', redhat: 'Red Hat release 9.6 (Plow)\n' }), 'rhel', ['9.6']],
    [
      said({ os: 'ID="centos"\nVERSION_ID="7"\n', redhat: 'CentOS Linux release 7.9.2009 (Core)\n' }),
      'centos',
      ['7', '7.9.2009'],
    ],
    [said({ os: 'ID="sles"\nVERSION_ID="15.5"\n' }), 'sles', ['15 SP5']],
    [said({ os: "ID='sles'\nVERSION_ID='12'\n" }), 'sles', ['12']],
    [said({ suse: 'SUSE Linux (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n' }), 'sles', ['11 SP4']],
    [said({ redhat: 'Red Hat Enterprise Linux Server release 5.11 (Tikanga)\n' }), 'rhel', ['5.11']],
    [said({ redhat: 'CentOS release 5.11 (Final)\n' }), 'centos', ['5.11']],
  ]
  for (const [text, product, versions] of releases) {
    t.same(parseRelease(text), { product, versions }, `${product} ${versions.join(' ')}`)
  }
})

t.test('a system that says nothing is nothing', async t => {
  for (const text of ['', said({}), 'garbage', said({ os: '\u0000\n' })]) {
    const release = parseRelease(text)
    t.notOk(isRelease({ product: 'debian', version: '12' }, release), JSON.stringify(text))
    t.notOk(isRelease({ product: 'linux', version: '12' }, release))
  }
})

t.test('minors count where they belong to the version, and may be left away elsewhere', async t => {
  const is = (product: string, version: string, ...versions: string[]): boolean =>
    isRelease({ product, version }, { product, versions })
  t.ok(is('rhel', '9.6', '9.6'))
  t.notOk(is('rhel', '9', '9.6'))
  t.notOk(is('rhel', '9.6', '9'))
  t.ok(is('sles', '15-SP5', '15 SP5'))
  t.notOk(is('sles', '15', '15 SP5'))
  t.ok(is('debian', '12', '12', '12.8'))
  t.ok(is('debian', '12.8', '12', '12.8'))
  t.notOk(is('debian', '12.7', '12', '12.8'))
  t.notOk(is('debian', '1', '12', '12.8'))
  t.ok(is('centos', '7.9', '7', '7.9.2009'))
})
