import stringWidth from 'string-width'
import t from 'tap'
import { commands, nameOf } from './commands.js'
import { commandHelp, helpWidth, programHelp } from './help.js'
import { columns, wrap } from './layout.js'

const plain = (text: string): string => text

t.test('help names every command, flag, argument and exit code', async t => {
  const all = programHelp({ width: 80, heading: plain, faint: plain })
  for (const command of commands) {
    t.match(all, command.summary.split(' ').slice(0, 3).join(' '))
    const help = commandHelp(command, { width: 80, heading: plain, faint: plain })
    t.match(help, `guestcert ${nameOf(command)}`)
    for (const { name } of command.flags) t.match(help, `--${name}`)
    for (const { name } of command.arguments) t.match(help, name)
    for (const { line } of command.examples) t.match(help, line)
  }
})

t.test('help fits its width, down to narrow terminals', async t => {
  for (const width of [60, 80, 100]) {
    const style = { width, heading: plain, faint: plain }
    const texts = [programHelp(style), ...commands.map(command => commandHelp(command, style))]
    // An example is typed as it stands, and a usage is one line.
    const wide = texts
      .flatMap(text => text.split('\n'))
      .filter(line => stringWidth(line) > width && !/^ {2}(guestcert|source) /.test(line))
    t.same(wide, [], `${width} columns`)
  }
  t.equal(helpWidth(undefined), 80)
  t.equal(helpWidth(300), 100)
  t.equal(helpWidth(60), 60)
})

t.test('words are not broken, and names stand below each other', async t => {
  t.same(wrap('one two three', 7), ['one two', 'three'])
  t.same(wrap('incomprehensibilities', 5), ['incomprehensibilities'])
  t.equal(
    columns(
      [
        ['a', 'first'],
        ['long', 'a second text that is wrapped'],
      ],
      36,
    ),
    '  a      first\n  long   a second text that is\n         wrapped\n',
  )
  t.equal(columns([['a-very-long-name', 'its text']], 30), '  a-very-long-name\n      its text\n')
})
