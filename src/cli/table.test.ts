import stringWidth from 'string-width'
import t from 'tap'
import { table, tableWidth } from './table.js'

const same = (text: string): string => text
const wide = {
  headings: ['TEST', 'LEVEL', 'TITLE'],
  rows: [
    [
      'core/clock-monotonic',
      'required',
      'The monotonic clock never runs backwards, on any of the CPUs of the guest',
    ],
    ['a-name-of-one-word-that-is-longer-than-any-column-may-be', 'optional', 'short'],
  ],
}

t.test('a table is as wide as it is where nobody sees lines break', async t => {
  t.same(table({ headings: ['A', 'B'], rows: [['1', 'two words']] }, same), 'A  B\n1  two words\n')
  t.equal(tableWidth({ isTTY: false, columns: 80 }), undefined)
  t.equal(tableWidth({ isTTY: true, columns: 80 }), 80)
})

t.test('on a terminal it fits, and nothing of it is lost', async t => {
  for (const columns of [40, 60, 80, 120]) {
    const lines = table(wide, same, columns).trimEnd().split('\n')
    t.ok(
      lines.every(line => stringWidth(line) <= columns),
      `${columns} columns`,
    )
    const left = [...lines.join('')]
    for (const letter of wide.rows.flat().join('').replace(/\s/g, '')) {
      const at = left.indexOf(letter)
      t.ok(at >= 0, letter)
      left.splice(at, 1)
    }
  }
})

t.test('a long name is broken behind a sign', async t => {
  const names = {
    headings: ['ENVIRONMENT', 'HOSTS'],
    rows: [['rhel5@rhel-kvm-5.11/bios-virtio-blk', 'kvm-1']],
  }
  t.equal(
    table(names, same, 30),
    'ENVIRONMENT              HOSTS\nrhel5@rhel-kvm-5.11/     kvm-1\nbios-virtio-blk\n',
  )
})

t.test('where columns are too narrow to read, each row is a block', async t => {
  const lab = {
    headings: ['ENVIRONMENT', 'HOSTS', 'SUITES', ''],
    rows: [
      ['rhel5@rhel-kvm-5.11/bios-virtio-blk', 'kvm-1', '4 of 6', 'emulated'],
      ['debian', 'kvm-2', '-', ''],
    ],
  }
  t.equal(
    table(lab, same, 40),
    'rhel5@rhel-kvm-5.11/bios-virtio-blk\n  hosts kvm-1, suites 4 of 6, emulated\ndebian\n  hosts kvm-2\n',
  )
})

t.test('a width that no table can keep to is kept to as far as it can be read', async t => {
  const lines = table(wide, same, 5).trimEnd().split('\n')
  t.ok(Math.max(...lines.map(line => stringWidth(line))) <= 28)
})

t.test('a text alone stands above its rows, in its whole width', async t => {
  const checks = { headings: ['CHECK', 'STATE'], rows: ['kvm-1 › rhel5 bios', ['  login', 'ok']] }
  t.equal(table(checks, same), 'CHECK    STATE\nkvm-1 › rhel5 bios\n  login  ok\n')
  t.equal(table(checks, same, 15), 'CHECK    STATE\nkvm-1 › rhel5\nbios\n  login  ok\n')
  const long = { headings: ['CHECK'], rows: [['  two words and more']] }
  t.equal(table(long, same, 18), 'CHECK\n  two words and\n  more\n')
})
