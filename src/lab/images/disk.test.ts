import t from 'tap'
import { parseStatus } from './disk.js'
import { fingerprint } from './keys.js'

t.test('what dpkg says is installed', async t => {
  const status = [
    'Package: zlib1g',
    'Status: install ok installed',
    'Version: 1:1.2.13.dfsg-1',
    'Description: x',
    ' Package: not-a-field',
    '',
    'Package: gone',
    'Status: deinstall ok config-files',
    'Version: 1',
    '',
    'Package: bash',
    'Status: install ok installed',
    'Version: 5.2.15-2+b8',
    '',
  ].join('\n')
  t.same(parseStatus(status), [
    { name: 'bash', version: '5.2.15-2+b8' },
    { name: 'zlib1g', version: '1:1.2.13.dfsg-1' },
  ])
  t.same(parseStatus(''), [])
})

t.test('the fingerprint is the one that OpenSSH shows', async t => {
  // Made with ssh-keygen -t ed25519, shown with ssh-keygen -l.
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDQ+ZH+HSwmU6H64MH835cZ7E85kcFiXhqzTev+CgDZ3 test'
  t.equal(fingerprint(key), 'SHA256:DbWwOEeRM7ju45giUS6k7m3+12ERbYbY4I7ryR0+r6Y')
})
