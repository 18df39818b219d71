import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ConfigError } from '../../errors.js'
import { personaFolder } from '../../harness.test.helper.js'
import { isWindowsPersona, loadWindowsPersona } from './load.js'

function mistakesIn(t: Test, text: string): string[] {
  const folder = t.testdir({ 'ours.yaml': text })
  try {
    const folders = [folder, personaFolder]
    t.ok(isWindowsPersona('ours', folders))
    loadWindowsPersona('ours', folders)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message.split('\n').map(line => line.replace(join(folder, 'ours.yaml'), ''))
  }
}

const ours = 'persona: ours\nkind: guest\ntitle: Ours\nfamily: windows\nextends: windows-2022\n'

t.test('every mistake is told with its place', async t => {
  t.strictSame(mistakesIn(t, ours), [])
  t.strictSame(mistakesIn(t, `${ours}survices: []\n`), [':6:1: survices: unknown key'])
  const inList = mistakesIn(t, `${ours}services:\n  - { from: assumed, nme: x }\n`)
  t.ok(inList.includes(':7:22: services › 0 › nme: unknown key'), inList.join('\n'))
})

t.test('a file that is no YAML is told with its place', async t => {
  t.match(mistakesIn(t, `${ours}services: [\n`), [/^:\d+:\d+: /])
})
