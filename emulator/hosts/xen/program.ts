import { toText } from '../../files/bytes.js'
import type { Program } from '../../system/programs.js'
import { createVerbs } from './create.js'
import { deviceVerbs } from './hotplug.js'
import { infoVerbs } from './info.js'
import { lifecycleVerbs } from './lifecycle.js'
import { listVerbs } from './list.js'
import { resourceVerbs } from './resources.js'
import { savingVerbs } from './saving.js'
import { Ended, type Session, say, tell, type Verb, type XenHost } from './session.js'
import { readWords, usageOf } from './usage.js'

const verbs: Readonly<Record<string, Verb>> = {
  ...createVerbs,
  ...listVerbs,
  ...lifecycleVerbs,
  ...savingVerbs,
  ...resourceVerbs,
  ...infoVerbs,
  ...deviceVerbs,
}

/** xl, as Xen 4.17 has it. What it does not play it does not know. */
export function xlProgram(host: XenHost): Program {
  return async call => {
    if (host.slowMs > 0) await call.process.sleep(host.slowMs)
    const all = call.args.map(toText)
    while (/^-[vfNtT]+$/.test(all[0] ?? '')) all.shift()
    const [word, ...given] = all
    const to = { call }
    if (word?.startsWith('-')) {
      const letter = word[1] ?? ''
      await tell(to, [`xl: invalid option -- '${letter}'`, 'unknown global option'])
      return 1
    }
    if (word === undefined || word === 'help') return help(to, word, given[0])
    const name = nameOf(word)
    const verb = name === undefined ? undefined : verbs[name]
    if (name === undefined || !verb) {
      await tell(to, ['command not implemented'])
      return 1
    }
    const read = readWords(verb, given)
    if (typeof read === 'string') {
      await tell(to, [read])
      return 2
    }
    if (read.options.has('h')) {
      await say(to, usageOf(name, verb))
      return 0
    }
    if (read.words.length < verb.least) {
      const many = `${verb.least} argument${verb.least === 1 ? '' : 's'}`
      await say(to, usageOf(name, verb))
      await tell(to, [`'xl ${name}' requires at least ${many}.`, ''])
      return 2
    }
    try {
      return await verb.run({ call, host, ...read })
    } catch (error) {
      if (!(error instanceof Ended)) throw error
      await tell(to, error.lines)
      return error.code
    }
  }
}

/** A command's name: the word, or what alone begins with it. */
function nameOf(word: string): string | undefined {
  if (Object.hasOwn(verbs, word)) return word
  const near = Object.keys(verbs).filter(name => name.startsWith(word))
  return near.length === 1 ? near[0] : undefined
}

async function help(
  to: Pick<Session, 'call'>,
  word: string | undefined,
  about: string | undefined,
): Promise<number> {
  const verb = about !== undefined && Object.hasOwn(verbs, about) ? verbs[about] : undefined
  if (about !== undefined) {
    await say(to, verb ? usageOf(about, verb) : `command "${about}" not implemented\n`)
    return 0
  }
  const rows = Object.entries(verbs).map(([name, { does }]) => ` ${name.padEnd(19)} ${does.trim()}\n`)
  await say(to, `Usage xl [-vfNtT] <subcommand> [args]\n\nxl full list of subcommands:\n\n${rows.join('')}`)
  return word === undefined ? 1 : 0
}
