import { createHash, randomBytes } from 'node:crypto'
import ssh2 from 'ssh2'
import t from 'tap'
import { pack } from 'tar-stream'
import { clientKey, connect, eventually, startGuest, tryConnect } from './client.test.helper.js'

// Guests mostly wait: several tests share the time.
t.jobs = 4

const personas: Readonly<Record<string, { release: RegExp; kernel: RegExp; key: string }>> = {
  'debian-12': {
    release: /^PRETTY_NAME="Debian GNU\/Linux 12 \(bookworm\)"$/m,
    kernel: /^6\.1\.\d/,
    key: 'ssh-ed25519',
  },
  'ubuntu-22.04': { release: /^VERSION_ID="22\.04"$/m, kernel: /^5\.15\.0-\d+-generic$/, key: 'ssh-ed25519' },
  'ubuntu-24.04': { release: /^VERSION_ID="24\.04"$/m, kernel: /^6\.8\.0-\d+-generic$/, key: 'ssh-ed25519' },
  'rhel-9': {
    release: /^Red Hat Enterprise Linux release 9\.\d \(Plow\)$/m,
    kernel: /el9/,
    key: 'ssh-ed25519',
  },
  'rhel-5.11': {
    release: /^Red Hat Enterprise Linux Server release 5\.11 \(Tikanga\)$/m,
    kernel: /^2\.6\.18-\d+\.el5$/,
    key: 'ssh-rsa',
  },
  'sles-11-sp4': { release: /^PATCHLEVEL = 4$/m, kernel: /^3\.0\.101-\d+-default$/, key: 'ssh-rsa' },
  'sles-15': { release: /^VERSION_ID="15\.5"$/m, kernel: /^5\.14\.21-\d+.*-default$/, key: 'ssh-ed25519' },
}

for (const [persona, { release, kernel, key }] of Object.entries(personas)) {
  t.test(`${persona} boots and says what it is`, { buffered: true }, async t => {
    const guest = await startGuest(persona)
    t.teardown(() => guest.close())
    await t.rejects(tryConnect(guest), { code: 'ECONNREFUSED' }, 'its port refuses until it has booted')
    const client = await connect(guest, {
      algorithms: {
        serverHostKey: [key] as ['ssh-rsa'],
        kex: { append: ['diffie-hellman-group14-sha1'], prepend: [], remove: [] },
      },
    })
    t.equal(client.hostKey, guest.hostKeyFingerprint, 'it proves the key that was told')
    t.match((await client.run('cat /etc/*release')).stdout, release)
    t.match((await client.run('uname -r')).stdout.trim(), kernel)
    t.equal((await client.run('grep -c ^processor /proc/cpuinfo')).stdout, '2\n')
    const [, total = ''] = /MemTotal: +(\d+) kB/.exec((await client.run('cat /proc/meminfo')).stdout) ?? []
    t.ok(Number(total) < 2 ** 20 && Number(total) > 700_000, 'its kernel keeps some of the memory for itself')
    t.equal((await client.run('exit 7')).code, 7)
    client.end()
  })
}

t.test('programs that a product lacks are not found', { buffered: true }, async t => {
  const guest = await startGuest('rhel-5.11')
  t.teardown(() => guest.close())
  const client = await connect(guest)
  const ran = await client.run('nproc; systemctl; timeout 1 true; lscpu; echo $?')
  t.equal(ran.stdout, '127\n')
  t.match(ran.stderr, /nproc: command not found/)
  client.end()
})

t.test('a client without old algorithms does not reach RHEL 5', { buffered: true }, async t => {
  const guest = await startGuest('rhel-5.11')
  t.teardown(() => guest.close())
  await eventually('boot', () => guest.state === 'running')
  await t.rejects(tryConnect(guest, { algorithms: {} }), /no matching key exchange algorithm/)
})

t.test('logs in by key and by password, and refuses others', { buffered: true }, async t => {
  const other = ssh2.utils.generateKeyPairSync('rsa', { bits: 1024 })
  const users = [
    { name: 'root', authorizedKeys: [clientKey.public] },
    { name: 'tester', password: 'right' },
  ]
  const guest = await startGuest('ubuntu-24.04', { users })
  t.teardown(() => guest.close())
  const byKey = await connect(guest)
  t.equal((await byKey.run('id -u')).stdout, '0\n')
  byKey.end()
  const withPassword = { username: 'tester', privateKey: '', password: 'right' }
  const tester = await connect(guest, withPassword)
  t.equal((await tester.run('id -un; pwd')).stdout, 'tester\n/home/tester\n')
  t.match(
    (await tester.run('dmesg')).stderr,
    /Operation not permitted/,
    'who is not root may not read the log',
  )
  t.match((await tester.run('echo x > /etc/x')).stderr, /Permission denied/)
  tester.end()
  const refused = /authentication methods failed/
  await t.rejects(tryConnect(guest, { ...withPassword, password: 'wrong' }), refused)
  await t.rejects(tryConnect(guest, { privateKey: other.private }), refused)
  await t.rejects(tryConnect(guest, { ...withPassword, username: 'nobody' }), refused)
})

t.test('a reboot cuts connections and comes back as another boot', { buffered: true }, async t => {
  const guest = await startGuest('debian-12')
  t.teardown(() => guest.close())
  const before = await connect(guest)
  const identity =
    'cat /proc/sys/kernel/random/boot_id; sed -n "s/btime //p" /proc/stat; cut -d. -f1 /proc/uptime'
  const first = (await before.run(identity)).stdout.split('\n')
  await before.run('echo kept > /var/tmp/kept; echo gone > /tmp/gone; echo on > /root/disk')
  t.equal((await before.run('reboot')).code, 0, 'the program itself ends well')
  await before.lost
  await t.rejects(tryConnect(guest), { code: 'ECONNREFUSED' })
  const after = await connect(guest)
  const second = (await after.run(identity)).stdout.split('\n')
  t.not(second[0], first[0], 'boot_id is new')
  t.ok(Number(second[1]) >= Number(first[1]), 'btime is later')
  t.ok(Number(second[2]) <= 5, 'the uptime is small')
  t.equal(
    (await after.run('cat /var/tmp/kept /root/disk; ls /tmp')).stdout,
    'kept\non\n',
    'the disk is kept, /tmp is cleared',
  )
  t.equal(after.hostKey, before.hostKey)
  t.equal(guest.counters.boots, 2)
  after.end()
})

t.test('RHEL 5 keeps /tmp over a reboot, and a power-off is for good', { buffered: true }, async t => {
  const guest = await startGuest('rhel-5.11')
  t.teardown(() => guest.close())
  const first = await connect(guest)
  await first.run('touch /tmp/kept; shutdown -r now')
  await first.lost
  const second = await connect(guest)
  t.equal((await second.run('ls /tmp')).stdout, 'kept\n')
  await second.run('poweroff')
  await second.lost
  await eventually('off', () => guest.state === 'off')
  await t.rejects(tryConnect(guest), { code: 'ECONNREFUSED' })
})

t.test('a hanging command is ended by its group from a second channel', { buffered: true }, async t => {
  const guest = await startGuest('debian-12')
  t.teardown(() => guest.close())
  const client = await connect(guest)
  const running = await client.start('echo $$; (sleep 300 | cat) & sleep 300')
  const pid = await running.firstLine()
  const group = (): number => guest.processes().filter(process => process.pgid === Number(pid)).length
  await eventually('all of it', () => group() >= 5)
  t.equal((await client.run(`ps -o pgid= -p ${pid}`)).stdout.trim(), pid)
  t.equal((await client.run(`grep -l SSH_CLIENT /proc/${pid}/environ`)).stdout, `/proc/${pid}/environ\n`)
  t.equal((await client.run(`kill -9 -${pid}`)).code, 0)
  const { code, signal } = await running.ended
  t.strictSame([code, signal], [null, 'SIGKILL'])
  t.equal(group(), 0, 'nothing of it is left')
  client.end()
})

t.test(
  'an exit comes before a child in the background lets go of the output',
  { buffered: true },
  async t => {
    const guest = await startGuest('debian-12')
    t.teardown(() => guest.close())
    const client = await connect(guest)
    const running = await client.start('sleep 300 & echo $!')
    let closed = false
    void running.ended.then(() => {
      closed = true
    })
    const pid = await running.firstLine()
    await eventually('its exit', () => running.exit === 0)
    t.equal(closed, false)
    await client.run(`kill ${pid}`)
    await running.ended
    client.end()
  },
)

t.test('an archive arrives whole over standard input', { buffered: true }, async t => {
  const guest = await startGuest('rhel-5.11')
  t.teardown(() => guest.close())
  const client = await connect(guest)
  const bytes = randomBytes(300_000)
  const archive = pack()
  archive.entry({ name: 'suite/', type: 'directory', mode: 0o755 })
  archive.entry({ name: 'suite/run.sh', mode: 0o755 }, '#!/bin/sh\necho "ran $1"\n')
  archive.entry({ name: 'suite/bytes', mode: 0o644 }, bytes)
  archive.finalize()
  const parts: Buffer[] = []
  for await (const part of archive) parts.push(part as Buffer)
  const ran = await client.run(
    'umask 077; mkdir /tmp/x && cd /tmp/x && tar -xf - && ./suite/run.sh well && sha256sum suite/bytes',
    Buffer.concat(parts),
  )
  t.equal(ran.stdout, `ran well\n${createHash('sha256').update(bytes).digest('hex')}  suite/bytes\n`)
  const cut = await client.run(
    'mkdir /tmp/y && cd /tmp/y && tar -xf -',
    Buffer.concat(parts).subarray(0, 200_000),
  )
  t.not(cut.code, 0, 'an archive that was cut is an error')
  client.end()
})

t.test('every byte passes through standard input and output', { buffered: true }, async t => {
  const guest = await startGuest('debian-12')
  t.teardown(() => guest.close())
  const client = await connect(guest)
  const bytes = randomBytes(1_000_000)
  const ran = await client.run('cat > /tmp/b; cat /tmp/b', bytes)
  t.ok(Buffer.from(ran.stdout, 'latin1').equals(bytes))
  client.end()
})

t.test('channels beyond MaxSessions are refused', { buffered: true }, async t => {
  const guest = await startGuest('debian-12')
  t.teardown(() => guest.close())
  const client = await connect(guest)
  const channels = await Promise.all(Array.from({ length: 10 }, () => client.start('sleep 60')))
  await t.rejects(client.start('true'), /Channel open failure/)
  t.equal(guest.counters.maxConcurrentChannels, 10)
  for (const { channel } of channels) channel.close()
  client.end()
})

t.test('a guest that is closed leaves nothing', { buffered: true }, async t => {
  const guest = await startGuest('debian-12')
  const client = await connect(guest)
  await client.start('sleep 600')
  await guest.close()
  await client.lost
  await t.rejects(tryConnect(guest), { code: 'ECONNREFUSED' })
  t.strictSame(guest.processes(), [])
})

t.test('several guests start at once', { buffered: true }, async t => {
  const guests = await Promise.all(
    ['debian-12', 'rhel-9', 'sles-15', 'ubuntu-22.04'].map(persona => startGuest(persona)),
  )
  t.equal(new Set(guests.map(guest => guest.port)).size, 4)
  t.equal(new Set(guests.map(guest => guest.hostKeyFingerprint)).size, 4)
  await Promise.all(guests.map(guest => guest.close()))
})
