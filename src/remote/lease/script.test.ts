import { readdirSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { leaseScript } from './script.js'
import { leaseCases, leaseClient } from './script.test.cases.js'

// /bin/sh is whatever the machine has; other shells are tried in script.real.test.ts.
await leaseCases(t, ['/bin/sh'])

t.test('a renewal in the middle of a takeover is seen by the one or by the other', async t => {
  for (const moment of ['before', 'after']) {
    const folder = t.testdir({ bin: {}, 'lease.sh': leaseScript })
    const lease = join(folder, 'lease')
    const owner = leaseClient(['/bin/sh'], lease)
    await owner('take', 'a', '0', 0)
    // The contender has looked at the lease, and makes the next generation: here its owner renews it.
    const renewal = `/bin/sh ${folder}/lease.sh renew ${lease} a 60 20 1 'who a' >${folder}/renewed`
    const link = `PATH=/usr/bin:/bin ln "$@"`
    const steps = moment === 'before' ? `PATH=/usr/bin:/bin ${renewal}; ${link}` : `${link} && ${renewal}`
    await writeFile(join(folder, 'bin/ln'), `#!/bin/sh\n${steps}\n`)
    await chmod(join(folder, 'bin/ln'), 0o755)
    const contender = leaseClient(['/bin/sh'], lease, { ...process.env, PATH: `${folder}/bin:/usr/bin:/bin` })
    const taken = await contender('take', 'b', '1.0')
    const kept = await owner('renew', 'a', '1')
    if (moment === 'before') {
      t.match(taken, { word: 'held', generation: 1, mark: '1.1', owner: { who: 'a' } })
      t.match(kept, { word: 'kept', mark: '1.2' })
      t.same(readdirSync(lease), ['1'], 'nothing of the contender is left')
    } else {
      t.match(taken, { word: 'taken', generation: 2 })
      t.match(kept, { word: 'lost', owner: { who: 'b' } })
    }
  }
})

t.test(
  'a contender that has not seen the lease as it is makes no generation, which would fence its owner',
  async t => {
    const folder = t.testdir({ bin: { ln: '#!/bin/sh\necho x >>"$0.called"\nPATH=/usr/bin:/bin ln "$@"\n' } })
    await chmod(join(folder, 'bin/ln'), 0o755)
    const links = (): boolean => readdirSync(join(folder, 'bin')).includes('ln.called')
    const ask = leaseClient(['/bin/sh'], join(folder, 'lease'), {
      ...process.env,
      PATH: `${folder}/bin:/usr/bin:/bin`,
    })
    await leaseClient(['/bin/sh'], join(folder, 'lease'))('take', 'a', '0', 0)
    for (const mine of ['0', '1.1', '2.0'])
      t.match(await ask('take', 'b', mine), { word: 'stale', mark: '1.0' })
    t.notOk(links())
    t.match(await ask('take', 'b', '1.0'), { word: 'taken', generation: 2 })
    t.ok(links(), 'one that has seen it so does')
  },
)
