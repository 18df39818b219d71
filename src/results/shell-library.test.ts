import t from 'tap'
import { emptyCheckCases, runScript, shellCases } from './shell-library.test.cases.js'

// /bin/sh is whatever the machine has; the shells of old and small guests are tried in shell-library.real.test.ts.
for (const shellCase of [...shellCases, ...emptyCheckCases]) {
  t.test(shellCase.name, async t => {
    t.match(await runScript(['/bin/sh'], shellCase.script), shellCase.expected)
  })
}
