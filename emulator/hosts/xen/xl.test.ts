import t, { type Test } from 'tap'
import { type Client, clientKey, connect, connectThrough } from '../../client.test.helper.js'
import { personaFolder } from '../../harness.test.helper.js'
import { startEmulatedHost } from '../host.js'

t.jobs = 4

const users = [{ name: 'root', authorizedKeys: [clientKey.public] }]
const clean = '/var/lib/xen/images/clean.img'
const cfg = '/etc/xen/deb.cfg'

interface Stand {
  /** Runs a command on the host: standard output, standard error and exit code. */
  run(command: string): Promise<readonly [string, string, number | null | undefined]>
  /** Waits for the guest behind the host, and opens a connection to it. */
  guest(): Promise<Client>
}

async function stand(t: Test): Promise<Stand> {
  const host = await startEmulatedHost({
    name: 'xen-1',
    persona: 'xen-4.17',
    personaFolders: [personaFolder],
    users,
    vms: [
      {
        name: 'deb',
        guest: { persona: 'debian-12-xen', users },
        hardware: { vcpus: 1, memoryBytes: 2 ** 28, mode: 'pv' },
        images: [clean],
      },
    ],
  })
  t.teardown(() => host.close())
  const client = await connect(host.machine)
  t.teardown(() => client.end())
  const run: Stand['run'] = async command => {
    const { stdout, stderr, code } = await client.run(command)
    return [stdout, stderr, code]
  }
  const guest = async (): Promise<Client> => {
    let address: string | undefined
    for (let tries = 0; address === undefined && tries < 200; tries++) {
      const [arp] = await run('cat /proc/net/arp; sleep 0.05')
      address = /^(192\.0\.2\.\d+) /m.exec(arp)?.[1]
    }
    const found = await connectThrough(client, host.machine, address ?? '')
    t.teardown(() => found.end())
    return found
  }
  return { run, guest }
}

const heading = 'Name                                        ID   Mem VCPUs\tState\tTime(s)\n'

t.test('a domain is made of its configuration, and is gone once it ends', async t => {
  const { run, guest } = await stand(t)
  t.same(await run(`xl create ${cfg}`), ['', `Parsing config from ${cfg}\n`, 0])
  const [list] = await run('xl list deb')
  t.match(list, /^deb {37} {5}1 {3}256 {5}1 {5}-b---- {2}/m)
  t.equal((await (await guest()).run('cat /sys/hypervisor/type')).stdout, 'xen\n')
  t.same(await run('xl shutdown -w deb'), [
    '',
    'Shutting down domain 1\nWaiting for 1 domains\nDomain 1 has been shut down, reason code 0\n',
    0,
  ])
  t.same(await run('xl list deb'), ['', 'deb is an invalid domain identifier (rc=-6)\n', 1])
  const [log] = await run('cat /var/log/xen/xl-deb.log')
  t.match(
    log,
    /^Waiting for domain deb \(domid 1\) to die \[pid \d+\]\nDomain 1 has shut down, reason code 0 0x0\n/,
  )
})

t.test('a copied disk brings up the guest that its base holds, and keeps what was written', async t => {
  const { run, guest } = await stand(t)
  await run(
    `cp ${clean} /var/lib/xen/images/own.img; sed 's#target=.*img#target=/var/lib/xen/images/own.img#' ${cfg} >/tmp/own.cfg`,
  )
  t.equal((await run('xl create /tmp/own.cfg'))[2], 0)
  await (await guest()).run('echo kept >/root/mark; sync')
  await run('xl shutdown -w deb')
  t.equal((await run('xl create /tmp/own.cfg'))[2], 0)
  t.equal((await (await guest()).run('cat /root/mark')).stdout, 'kept\n')
  await run('xl destroy deb')
  t.equal(
    (await run(`sed s#own.img#clean.img# /tmp/own.cfg >/tmp/clean.cfg; xl create /tmp/clean.cfg`))[2],
    0,
  )
  t.not((await (await guest()).run('cat /root/mark')).code, 0)
})

t.test('a saved domain goes on where it was, once', async t => {
  const { run, guest } = await stand(t)
  await run(`xl create ${cfg}`)
  const bootId = 'cat /proc/sys/kernel/random/boot_id'
  const before = (await (await guest()).run(bootId)).stdout
  const [, said, code] = await run('xl save deb /tmp/deb.save')
  t.equal(code, 0)
  t.match(said, /^Saving to \/tmp\/deb\.save new xl format \(info 0x3\/0x0\/\d+\)\n/)
  t.equal((await run('xl list'))[0].split('\n').length, 3, 'Domain-0 alone is left')
  t.match((await run('cp /tmp/deb.save /tmp/copy; xl restore /tmp/copy'))[1], /Restore successful/)
  t.equal((await (await guest()).run(bootId)).stdout, before)
  const [, again, refused] = await run('xl restore /tmp/deb.save')
  t.equal(refused, 1)
  t.match(again, /Domain with name "deb" already exists/)
  t.same(await run('xl restore /etc/os-release'), [
    '',
    'File has wrong magic number - corrupt or for a different tool?\n',
    1,
  ])
})

t.test('a restored guest keeps its connections, but not on another disk', async t => {
  const { run, guest } = await stand(t)
  await run(`xl create ${cfg}`)
  const client = await guest()
  const image = /target=([^"]*)/.exec((await run(`cat ${cfg}`))[0])?.[1] ?? ''
  await run(`xl save deb /tmp/s; cp ${image} /tmp/then; xl restore /tmp/s`)
  t.equal((await client.run('echo later >/root/mark; cat /root/mark')).stdout, 'later\n')
  await run(`xl destroy deb; cp /tmp/then ${image}; xl restore /tmp/s`)
  await client.lost
  t.equal((await (await guest()).run('cat /root/mark')).stdout, '', 'the disk is as it was then')
})

t.test('what is saved on a disk that became another is made anew', async t => {
  const { run, guest } = await stand(t)
  await run(`xl create ${cfg}`)
  const client = await guest()
  await client.run('echo now >/root/mark')
  const image = /target=([^"]*)/.exec((await run(`cat ${cfg}`))[0])?.[1] ?? ''
  await run(`xl save deb /tmp/s; cp ${clean} ${image}; xl restore /tmp/s`)
  await client.lost
  t.equal((await (await guest()).run('cat /root/mark')).stdout, '')
})

t.test('what cannot be made is refused, and leaves nothing', async t => {
  const { run } = await stand(t)
  const tries = [
    ['s/^memory.*/memory = 90000/', /Out of memory/, 3],
    ['s/^name.*//', /^Parsing config from \/tmp\/x\nDomain name must be specified\.\n$/, 1],
    ['s/target=[^"]*/target=\\/no/', /Disk vdev=xvda failed to stat: \/no: No such file or directory/, 3],
    ['s/bridge=[^"]*/bridge=nobr0/', /Could not find bridge device nobr0/, 3],
    ['s/^type.*/type = "strange"/', /Invalid domain type strange\.\n$/, 1],
    ['s/^bootloader.*//', /Neither kernel nor bootloader specified\n$/, 1],
    ['s/^vcpus.*/vcpus = (1)/', /\/tmp\/x:\d+: config parsing error near `\(1\)': lexical error\n/, 1],
  ] as const
  for (const [edit, message, wanted] of tries) {
    const [, stderr, code] = await run(`sed '${edit}' ${cfg} >/tmp/x; xl create /tmp/x`)
    t.equal(code, wanted, edit)
    t.match(stderr, message)
  }
  t.equal((await run('xl list'))[0].split('\n').length, 3, 'Domain-0 alone is there')
})

t.test('disks and cards come and go', async t => {
  const { run, guest } = await stand(t)
  await run(`xl create ${cfg}; truncate -s 1M /tmp/more.img`)
  await guest()
  t.equal((await run('xl block-attach deb /tmp/more.img,raw,xvdb,rw'))[2], 0)
  t.match((await run('xl block-list deb'))[0], /^51728 0 {3}1 {6}4 /m)
  t.equal((await run('xl block-attach deb /tmp/more.img,raw,xvdb,rw'))[2], 1)
  t.equal((await run('xl block-detach deb xvdb'))[2], 0)
  t.match((await run('xl block-detach deb xvdb'))[1], /Error: Device xvdb not connected\.\n$/)
  t.equal((await run('xl network-attach deb bridge=xenbr0 mac=00:16:3e:00:00:20'))[2], 0)
  t.match((await run('xl network-list deb'))[0], /^1 {3}0 {2}00:16:3e:00:00:20 /m)
  t.equal((await run('xl network-detach deb 00:16:3e:00:00:20'))[2], 0)
  t.notMatch((await run('xl network-list deb'))[0], /00:16:3e:00:00:20/)
})

t.test('pausing is counted, and a paused domain cannot be saved', async t => {
  const { run, guest } = await stand(t)
  await run(`xl create ${cfg}`)
  await guest()
  const state = async (): Promise<string | undefined> =>
    / (--p---|-b----) /.exec((await run('xl list deb'))[0])?.[1]
  await run('xl pause deb; xl pause deb; xl unpause deb')
  t.equal(await state(), '--p---')
  const [, stderr, code] = await run('xl save deb /tmp/x')
  t.equal(code, 1)
  t.match(stderr, /guest didn't acknowledge suspend, cancelling request/)
  t.same(await run('xl unpause deb'), ['', '', 0])
  t.equal(await state(), '-b----')
  t.match((await run('xl unpause deb'))[1], /Unpausing domain: Invalid argument/)
})

t.test('words that are wrong are refused in xl’s words', async t => {
  const { run } = await stand(t)
  t.same(await run('xl nonsense'), ['', 'command not implemented\n', 1])
  t.same(await run('xl list a b'), [(await run('xl list -h'))[0], '', 1])
  t.same(await run('xl shutdown -x deb'), ['', "option `x' not supported.\n", 2])
  const [usage, missing, code] = await run('xl pause')
  t.same([missing, code], ["'xl pause' requires at least 1 argument.\n\n", 2])
  t.match(usage, /^Usage: xl \[-vtTf\] pause <Domain>\n/)
  t.equal((await run('xl list'))[0].startsWith(heading), true)
  t.same((await run('xm nonsense'))[2], 127, 'this host has no xm')
})
