import { join } from 'node:path'
import { writeLab } from './lab.js'
import { compare, measureRun } from './measure.js'
import type { Servers } from './sshd.js'

const guests = 20
const parallel = 4
const testsEach = 10

/** 20 guests, 4 at once, with 10 tests that do the same: as scripts, and as TypeScript modules. */
export async function benchModules(servers: Servers, print: (line: string) => void): Promise<void> {
  const labs = { scripts: join(servers.folder, 'as-scripts'), modules: join(servers.folder, 'as-modules') }
  await writeLab({ folder: labs.scripts, servers, guests, testsEach, kind: 'script' })
  await writeLab({ folder: labs.modules, servers, guests, testsEach, kind: 'module' })
  const passes = guests * (testsEach + 1)
  await compare(
    {
      ways: {
        'scripts (TAP)': () => measureRun(labs.scripts, parallel, passes),
        'modules (TypeScript)': () => measureRun(labs.modules, parallel, passes),
      },
      servers,
      tests: guests * testsEach,
    },
    print,
  )
}
