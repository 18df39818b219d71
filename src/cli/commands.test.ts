import { existsSync } from 'node:fs'
import t from 'tap'
import { exitMeanings } from '../journal/exit.js'
import { commands, nameOf } from './commands.js'
import { globalFlags } from './flags.js'
import { parse } from './parse.js'

t.test('every command can be carried out', async t => {
  for (const { module } of commands) {
    const found = ['js', 'ts'].some(ending => existsSync(new URL(`./${module}.${ending}`, import.meta.url)))
    t.ok(found, `${module} is there`)
  }
})

t.test('no name is given twice', async t => {
  t.equal(new Set(commands.map(nameOf)).size, commands.length)
  for (const command of commands) {
    const flags = [...command.flags, ...globalFlags]
    const names = flags.flatMap(({ name, alias }) => [
      `--${name}`,
      ...(alias === undefined ? [] : [`-${alias}`]),
    ])
    t.equal(new Set(names).size, names.length, nameOf(command))
  }
})

t.test('a flag that takes a value takes one in every command, so that completion can tell', async t => {
  const takes = new Map<string, boolean>()
  for (const { name, value } of commands.flatMap(({ flags }) => flags)) {
    t.equal(value !== undefined, takes.get(name) ?? value !== undefined, name)
    takes.set(name, value !== undefined)
  }
})

t.test('defaults are among the choices, and texts are written as help wants them', async t => {
  for (const { flags, arguments: positional, summary, description, exits } of commands) {
    for (const { choices, default: preset } of flags) {
      if (choices !== undefined && preset !== undefined) t.ok(choices.includes(preset))
    }
    for (const text of [summary, ...[...flags, ...positional].map(spec => spec.description)]) {
      t.match(text, /^[A-Z"guestcert].*[^.]$/, text)
    }
    for (const paragraph of description) t.match(paragraph, /\.$/)
    for (const code of exits) t.ok(exitMeanings.some(known => known.code === code))
  }
})

t.test('every example is a command line that parses', async t => {
  for (const { line } of commands.flatMap(({ examples }) => examples)) {
    const own = line.replace(/^source <\((.*)\)$/, '$1').replace(/ [>|] .*$/, '')
    const words = own.split(' ').map(word => word.replace(/^'(.*)'$/, '$1'))
    t.equal(words[0], 'guestcert')
    t.equal(parse(words.slice(1), commands).kind, 'command', line)
  }
})
