import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { guestcert } from '../../test/cli-io.js'

const lab = (host: string, guest: string): string => `lab: small
hosts:
  kvm-1: { product: rhel-kvm, version: "9.6", driver: static, capacity: { guests: 2, memory: ${host} } }
guests:
  old:
    product: rhel
    version: "5.11"
    arch: x86_64
    emulated: rhel-5.11
    on:
      kvm-1: { configuration: { name: bios, memory: ${guest} } }
suites: [builtin]
`

t.test('memory in powers of ten is a warning with its place and what was probably meant', async t => {
  const cwd = t.testdir({})
  await writeFile(join(cwd, 'lab.yaml'), lab('96GB', '4GB'))
  const { code, stderr } = await guestcert(['plan', 'lab.yaml'], { cwd })
  t.equal(code, 0, 'a warning is not a mistake')
  t.match(
    stderr,
    /lab\.yaml:3:\d+: warning: memory: 96GB is 96000000000 bytes, which is 89\.407GiB: "96GiB" was/,
  )
  t.match(
    stderr,
    /lab\.yaml:11:\d+: warning: memory: 4GB is 4000000000 bytes, which is 3\.725GiB: "4GiB" was/,
  )
})

t.test('memory as machines have it is not a warning', async t => {
  const cwd = t.testdir({})
  await writeFile(join(cwd, 'lab.yaml'), lab('96GiB', '4096MiB'))
  const { code, stderr } = await guestcert(['plan', 'lab.yaml'], { cwd })
  t.same([code, stderr], [0, ''])
})
