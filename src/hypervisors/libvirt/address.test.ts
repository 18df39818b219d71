import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { usableAddresses } from '../shared/addresses.js'
import { HostConnection } from '../shared/connection.js'
import { localMachine } from '../shared/local-machine.test.fixture.js'
import { findAddresses } from './address.js'
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
const request = { domain: "it's; a name", macs: [mac], library: '9.0.0', call, everyMs: 50, asksAll: false }

t.test('leases, then the agent, then ARP are asked, and names reach virsh as they are', async t => {
  const [virsh, log] = await hostSaying(t, {
    lease: `${heading}\n`,
    arp: `${heading} vnet0      ${mac}    ipv4         192.0.2.7/0\n`,
  })
  t.same(await findAddresses(virsh, { ...request, limit: { name: 'boot', ms: 5000 } }), ['192.0.2.7'])
  const asked = ['lease', 'agent', 'arp'].map(
    source => `<-c><qemu:///system><domifaddr><it's; a name><--source><${source}>\n`,
  )
  t.equal(await readFile(log, 'utf8'), asked.join(''))
})

t.test('asked again, every source says all that it knows', async t => {
  const [virsh] = await hostSaying(t, {
    lease: `${heading} vnet0 ${mac} ipv4 192.0.2.6/24\n vnet0 ${mac} ipv4 192.0.2.7/24\n`,
    agent: `${heading} Ethernet Instance 0 ${mac} ipv6 fe80::1%5/64\n - - ipv4 192.0.2.8/24\n Loopback Pseudo-Interface 1 0:0:0:0:0:0 ipv4 127.0.0.1/8\n`,
    arp: `${heading} vnet0 ${mac} ipv4 192.0.2.7/0\n`,
  })
  const limit = { name: 'boot', ms: 5000 }
  t.same(await findAddresses(virsh, { ...request, limit }), ['192.0.2.6', '192.0.2.7'])
  t.same(await findAddresses(virsh, { ...request, limit, asksAll: true }), [
    '192.0.2.6',
    '192.0.2.7',
    '192.0.2.8',
  ])
})

t.test(
  'an address that never comes is waited for within its limit, and what each source said is told',
  async t => {
    const [virsh] = await hostSaying(t, {
      lease: `${heading}\n`,
      agent: `${heading} eth9 52:54:00:00:00:99 ipv4 192.0.2.7/24\n a row of another form\n`,
    })
    await t.rejects(findAddresses(virsh, { ...request, limit: { name: 'boot', ms: 100 } }), {
      message:
        /gc-r-e1-1 on kvm-1: no address was found .*52:54:00:d4:21:89.* limit "boot"; lease: nothing; agent: 192.0.2.7 of 52:54:00:00:00:99, "a row of another form"; arp: "error: Failed/,
      context: { code: 'connect', cause: 'network', limit: 'boot' },
    })
    const given = new AbortController()
    const looking = findAddresses(virsh, {
      ...request,
      call: { ...call, signal: given.signal },
      limit: { name: 'boot', ms: 60_000 },
    })
    given.abort()
    await t.rejects(
      looking,
      { name: 'InfraError', context: { code: 'connect' } },
      'also when the boot ends before',
    )
  },
)

t.test('a list that cannot be understood is passed over for the next source, and noted', async t => {
  const [virsh] = await hostSaying(t, { lease: 'Adresse: 192.0.2.7\n' })
  await t.rejects(findAddresses(virsh, { ...request, limit: { name: 'boot', ms: 100 } }), {
    message: /lease: ".*form that is not known/,
  })
  const [other] = await hostSaying(t, {
    lease: 'Adresse: 192.0.2.7\n',
    agent: `${heading} eth0 ${mac} ipv4 192.0.2.8/24\n`,
  })
  t.same(await findAddresses(other, { ...request, limit: { name: 'boot', ms: 5000 } }), ['192.0.2.8'])
})

t.test('only the guest’s own cards count, and only addresses that lead there', async t => {
  const of = (...ips: string[]): string[] =>
    usableAddresses(
      ips.map(ip => ({ mac, ip })),
      [mac],
    )
  t.same(of('127.0.0.1', '169.254.3.4', 'fe80::1', '2001:db8::7', '192.0.2.7'), ['192.0.2.7', '2001:db8::7'])
  t.same(of('192.0.2.7', '192.0.2.6', '192.0.2.7'), ['192.0.2.7', '192.0.2.6'])
  t.same(of('::1', '127.0.0.1'), [])
  t.same(usableAddresses([{ mac: '52:54:00:00:00:01', ip: '192.0.2.7' }], [mac]), [])
})
