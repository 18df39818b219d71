import t from 'tap'
import { vdevNumber, vdevs } from './disks.js'
import { parseBlockList, parseEnd, parseInfo, parseList, parseNetworkList } from './output.js'

// xl of Xen 4.17, and xm of Xen 3.0 in RHEL 5 (its heading says Mem(MiB)).
const xl = `Name                                        ID   Mem VCPUs\tState\tTime(s)
Domain-0                                     0  1536     1     r-----      49.3
gc-20260101-000000-abcd-e1-1                 3   256     2     -b----       8.0
a b                                          4   256     1     --p---       0.1
gone                                         5     0     1     ---s-d       2.0
bad                                          6   128     1     ----c-       2.0
waits                                        7   128     1     ------       2.0
`
const xm = `Name                                      ID Mem(MiB) VCPUs State   Time(s)
Domain-0                                   0      971     2 r-----    103.5
rhel5                                      1      511     1 -b----      8.1
`

t.test('the list of xl names every domain and its state', async t => {
  t.same(
    parseList(xl).map(({ name, id, state }) => [name, id, state]),
    [
      ['Domain-0', 0, 'running'],
      ['gc-20260101-000000-abcd-e1-1', 3, 'idle'],
      ['a b', 4, 'paused'],
      ['gone', 5, 'in shutdown'],
      ['bad', 6, 'crashed'],
      ['waits', 7, 'idle'],
    ],
  )
  t.match(parseList(xl)[1], { memoryMiB: 256, vcpus: 2 })
})

t.test('the list of xm has another heading', async t => {
  t.match(parseList(xm)[1], { name: 'rhel5', id: 1, memoryMiB: 511, vcpus: 1, state: 'idle' })
})

t.test('what is not a list is refused, and so is a line that is cut', async t => {
  t.throws(() => parseList("ERROR:  Can't find hypervisor information in sysfs!"), /form that is not known/)
  t.throws(() => parseList(`${xl}cut off    8  12`), /cut off/)
  t.throws(() => parseList(''), /form that is not known/)
})

t.test('the facts of a host are read, values with colons too', async t => {
  const info = parseInfo(
    'host : xen-1\nxen_major              : 4\nxen_minor : 17\nbuild_id : \ncc_compiler : gcc: 12\n',
  )
  t.equal(info.get('xen_major'), '4')
  t.equal(info.get('cc_compiler'), 'gcc: 12')
  t.equal(info.get('build_id'), '')
  t.throws(() => parseInfo('nothing'), /form that is not known/)
})

t.test('the last end of a domain counts', async t => {
  const log = 'Waiting for domain x (domid 1) to die [pid 7]\nDomain 1 has shut down, reason code 1 0x1\n'
  t.equal(parseEnd(log), 'reboot')
  t.equal(parseEnd(`${log}Domain 2 has shut down, reason code 3 0x3\n`), 'crash')
  t.equal(parseEnd('Waiting for domain x'), null)
  t.equal(parseEnd('Domain 2 has shut down, reason code 99 0x63\n'), null)
})

t.test('disks and cards are listed by number and by address', async t => {
  const disks = `Vdev  BE  handle state evt-ch ring-ref BE-path                       
51712 0   1      4     15     8        /local/domain/0/backend/vbd/1/51712
51728 0   1      4     9      839      /local/domain/0/backend/vbd/1/51728
`
  t.same(parseBlockList(disks), [vdevNumber('xvda'), vdevNumber('xvdb')])
  t.equal(new Set(vdevs.map(vdevNumber)).size, 16)
  const cards = `Idx BE Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path                       
0   0  00:16:3e:00:00:10     0     4     -1   521/522         /local/domain/0/backend/vif/1/0
`
  t.same(parseNetworkList(cards), ['00:16:3e:00:00:10'])
  t.same(parseBlockList(''), [])
  t.throws(() => parseBlockList('gc-1 is an invalid domain identifier\n'), /the list of disks/)
  t.throws(() => parseNetworkList(`${cards}something else\n`), /the list of cards/)
})
