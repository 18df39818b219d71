import t from 'tap'
import { crashPatterns } from './crashes.js'
import { ConsoleScanner, type Crash } from './scanner.js'

function scan(chunks: readonly (string | Buffer)[], flush = false): Crash[] {
  const seen: Crash[] = []
  const scanner = new ConsoleScanner(crash => seen.push(crash))
  for (const chunk of chunks) {
    scanner.push(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk)
  }
  if (flush) {
    scanner.flush()
  }
  return seen
}

/** Lines as these systems print them. */
const crashes: readonly (readonly [string, string])[] = [
  ['kernel panic', '[   14.2] Kernel panic - not syncing: sysrq triggered crash'],
  ['kernel panic', 'localhost login: Kernel panic - not syncing: Attempted to kill init!'],
  ['kernel BUG', '[    3.1] kernel BUG at fs/ext4/inode.c:1234!'],
  ['kernel page fault', '[    5.0][    T1] BUG: unable to handle page fault for address: fffba000'],
  ['kernel page fault', 'BUG: unable to handle kernel paging request at virtual address 00100104'],
  ['kernel page fault', 'Unable to handle kernel NULL pointer dereference at 0000000000000000 RIP: '],
  ['kernel oops', 'Oops: 0000 [#1] SMP PTI'],
  ['kernel oops', 'Oops: 0000 [1] SMP '],
  ['kernel oops', '[    1.7] Oops: Oops: 0002 [#1]'],
  ['kernel oops', 'general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP'],
  ['Xen panic', '(XEN) Panic on CPU 0:'],
  ['Windows stop', '*** STOP: 0x0000007B (0xFFFFF880009A98E8,0xFFFFFFFFC0000034,0x0,0x0)'],
]

t.test('every kind of crash is seen, and named', async t => {
  for (const [name, line] of crashes) {
    t.same(scan([`all is well\n${line}\nmore\n`]), [{ name, line: line.trim().replace(/ +/g, ' ') }], line)
  }
  for (const { name } of crashPatterns) {
    t.ok(
      crashes.some(([known]) => known === name),
      `${name} is tried`,
    )
  }
})

t.test('what programs do to themselves is not a crash of the guest', async t => {
  const lines = [
    'traps: sshd[411] general protection fault ip:7f2a sp:7ffd error:0 in libc.so.6[7f2a+1000]',
    'sshd[411]: segfault at 0 ip 00007f sp 00007f error 4',
    'WARNING: CPU: 1 PID: 77 at fs/fuse/dir.c:99 fuse_lookup+0x10/0x20',
    'systemd[1]: Starting kdump, in case of a kernel panic...',
    'Oops: I did it again',
    'STOP: 0x7B',
  ]
  t.same(scan([`${lines.join('\n')}\n`], true), [])
})

t.test('a line may come in pieces, cut anywhere', async t => {
  const text = 'boot\r\n[ 1.0] Kernel panic - not syncing: VFS: Unable to mount root fs\r\n'
  for (let cut = 0; cut <= text.length; cut += 1) {
    t.equal(scan([text.slice(0, cut), text.slice(cut)]).length, 1, `cut at ${cut}`)
  }
  t.equal(scan([...text]).length, 1, 'a byte at a time')
})

t.test('words on two lines are no message', async t => {
  t.same(scan(['Kernel panic -\n not syncing: x\n'], true), [])
})

t.test('a line without an end is looked at when no more comes', async t => {
  t.same(scan(['Kernel panic - not syncing: dead']), [])
  t.equal(scan(['Kernel panic - not syncing: dead'], true).length, 1)
  t.equal(scan(['Kernel panic - not syncing: dead', '\n'], true).length, 1, 'it is told once')
})

t.test('a line without end costs bounded memory, and hides no message', async t => {
  const message = 'Kernel panic - not syncing: hidden'
  for (const before of [4000, 4096 - message.length / 2, 4096, 100_000]) {
    const seen = scan(['x'.repeat(before), message, 'y'.repeat(100_000), '\n'])
    t.match(seen[0]?.line, /Kernel panic - not syncing: hidden/, `after ${before} bytes`)
    t.ok((seen[0]?.line.length ?? 0) <= 201)
  }
  const before = process.memoryUsage().heapUsed
  const scanner = new ConsoleScanner(() => {})
  for (let count = 0; count < 500; count += 1) {
    scanner.push(Buffer.alloc(100_000, 0x78))
  }
  t.ok(process.memoryUsage().heapUsed - before < 30_000_000)
})

t.test('hostile bytes are cleaned out of the message', async t => {
  const line =
    '\u001b[31m\u0000Kernel panic - not syncing:\u001b]0;title\u0007 \u00ff\u009b31m<&"\u001b[2J end\n'
  const [crash] = scan([Buffer.from(line, 'latin1')])
  t.equal(crash?.line, 'Kernel panic - not syncing: 31m<&" end')
  const noise = Buffer.from(Array.from({ length: 65_536 }, (_, index) => (index * 7919) % 256))
  t.same(scan([noise], true), [])
})
