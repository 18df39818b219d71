import t from 'tap'
import { leaseCases } from './script.test.cases.js'

// /bin/sh is whatever the machine has; other shells are tried in script.real.test.ts.
await leaseCases(t, ['/bin/sh'])
