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
    const letters = (text: string): string => [...text.replace(/\s/g, '')].sort().join('')
    t.equal(letters(lines.join('')), letters([...wide.headings, ...wide.rows.flat()].join('')))
  }
})

t.test('a width that no table can keep to is kept to as far as it can be read', async t => {
  const lines = table(wide, same, 5).trimEnd().split('\n')
  t.ok(Math.max(...lines.map(line => stringWidth(line))) <= 28)
})
