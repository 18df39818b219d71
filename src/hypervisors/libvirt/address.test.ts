import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { chooseAddress, findAddress } from './address.js'
import { HostConnection } from './connection.js'
import { localMachine } from './local-machine.test.fixture.js'
import { createVirsh, type Virsh } from './virsh.js'

const heading =
  ' Name       MAC address          Protocol     Address\n-------------------------------------------------------------------------------\n'
const mac = '52:54:00:d4:21:89'
const call = {
  signal: new AbortController().signal,
  limit: { name: 'command', ms: 5000 },
  where: 'gc-r-e1-1',
}

/** A virsh that says what the test wrote for each source of addresses, and fails without. */
async function hostSaying(t: Tap, said: Readonly<Record<string, string>>): Promise<[Virsh, string]> {
  const folder = await mkdtemp(join(tmpdir(), 'gc-address-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const script = `#!/bin/sh
cd "$(dirname "$0")"
for word in "$@"; do printf '<%s>' "$word" >>log; done; echo >>log
[ "$3" = domifaddr ] && cat "$6" 2>/dev/null && exit 0
echo "error: Failed to query for interfaces addresses" >&2
exit 1
`
  await writeFile(join(folder, 'virsh'), script)
  await chmod(join(folder, 'virsh'), 0o755)
  for (const [source, text] of Object.entries(said)) {
    await writeFile(join(folder, source), text)
  }
  const connection = new HostConnection('kvm-1', async () => localMachine(folder, folder))
  return [createVirsh(connection, 'kvm-1', 'qemu:///system'), join(folder, 'log')]
}

type Tap = Pick<typeof t, 'teardown'>
const request = { domain: "it's; a name", macs: [mac], library: '9.0.0', call, everyMs: 50 }

t.test('leases, then the agent, then ARP are asked, and names reach virsh as they are', async t => {
  const [virsh, log] = await hostSaying(t, {
    lease: `${heading}\n`,
    arp: `${heading} vnet0      ${mac}    ipv4         192.0.2.7/0\n`,
  })
  t.equal(await findAddress(virsh, { ...request, limit: { name: 'address', ms: 5000 } }), '192.0.2.7')
  const asked = ['lease', 'agent', 'arp'].map(
    source => `<-c><qemu:///system><domifaddr><it's; a name><--source><${source}>\n`,
  )
  t.equal(await readFile(log, 'utf8'), asked.join(''))
})

t.test('an address that never comes is waited for within its limit', async t => {
  const [virsh] = await hostSaying(t, { lease: `${heading}\n` })
  await t.rejects(findAddress(virsh, { ...request, limit: { name: 'libvirt address', ms: 100 } }), {
    message: /gc-r-e1-1 on kvm-1: no address within libvirt address \(100 ms\).*52:54:00:d4:21:89/,
    context: { code: 'limit', limit: 'libvirt address' },
  })
})

t.test('what cannot be understood is an error, not a missing address', async t => {
  const [virsh] = await hostSaying(t, { lease: 'Adresse: 192.0.2.7\n' })
  await t.rejects(findAddress(virsh, { ...request, limit: { name: 'address', ms: 5000 } }), {
    message: /form that is not known/,
  })
})

t.test('only the guest’s own cards count, and only addresses that lead there', async t => {
  const of = (...ips: string[]): string | null =>
    chooseAddress(
      ips.map(ip => ({ mac, ip })),
      [mac],
    )
  t.equal(of('127.0.0.1', '169.254.3.4', 'fe80::1', '2001:db8::7', '192.0.2.7'), '192.0.2.7')
  t.equal(of('fe80::1', '2001:db8::7'), '2001:db8::7')
  t.equal(of('::1', '127.0.0.1'), null)
  t.equal(chooseAddress([{ mac: '52:54:00:00:00:01', ip: '192.0.2.7' }], [mac]), null)
})
