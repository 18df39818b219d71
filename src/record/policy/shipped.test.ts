import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../config/package-root.js'
import { bootTestId } from '../../plan/boot.js'
import { loadSuites } from '../../plan/suites.js'
import { loadPolicy } from './load.js'
import { pairingIn } from './match.js'

const folder = join(packageRoot, 'policies')

t.test('each policy that ships names tests that ship', async t => {
  const known = new Set([
    bootTestId,
    ...(await loadSuites(['builtin'], null)).flatMap(({ tests }) => tests.map(({ id }) => id)),
  ])
  const files = (await readdir(folder)).sort()
  t.same(files, ['example-lab.yaml', 'joint-support.yaml'])
  for (const file of files) {
    const { policy } = await loadPolicy(join(folder, file))
    const named = policy.pairings.flatMap(({ required, optional = [] }) => [...required, ...optional])
    t.same(
      [...named, ...policy.waivers.never].filter(id => !known.has(id)),
      [],
      file,
    )
    for (const { signatures } of policy.pairings) {
      t.equal(new Set(signatures.map(({ party }) => party)).size, 2, 'two parties vouch for each pairing')
    }
  }
})

t.test('the digest of a policy is of what it says', async t => {
  const one = await loadPolicy(join(folder, 'example-lab.yaml'))
  const other = await loadPolicy(join(folder, 'joint-support.yaml'))
  t.match(one.digest, /^[0-9a-f]{64}$/)
  t.not(one.digest, other.digest)
})

t.test('the joint policy has both directions', async t => {
  const { policy } = await loadPolicy(join(folder, 'joint-support.yaml'))
  const found = (product: string, version: string, hypervisor: string, on: string): string | undefined =>
    pairingIn(policy, {
      guest: { product, version, edition: null, arch: 'x86_64' },
      hypervisor: { product: hypervisor, version: on },
      configuration: {},
    })?.pairing
  t.equal(found('windows-server', '2022', 'rhel-kvm', '9.6'), 'windows-server-2022-on-rhel-9')
  t.equal(found('rhel', '9.6', 'hyper-v', '2025'), 'rhel-9-on-hyper-v-2025')
  t.equal(found('rhel', '9.6', 'rhel-kvm', '9.6'), undefined)
})
