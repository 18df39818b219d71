import { harnessDigest } from '../config/harness.js'
import { defaultLimits } from '../config/limits.js'
import { bootTest, ownSuite } from '../plan/boot.js'
import { loadSuites } from '../plan/suites.js'
import type { Kit } from './decision/types.js'
import type { Policy } from './policy/schema.js'

/** The program and the suites that count under a policy: those that it names, or those of whoever decides. @throws ConfigError */
export async function kitOf({ kit }: Pick<Policy, 'kit'>): Promise<Kit> {
  if (kit !== 'shipped') return kit
  const suites = await loadSuites(['builtin'], null)
  const { suiteDigest } = bootTest({ startsGuest: true, family: 'linux', limits: defaultLimits })
  return {
    harness: [await harnessDigest()],
    suites: {
      [ownSuite]: [suiteDigest],
      ...Object.fromEntries(suites.map(({ id, digest }) => [id, [digest]])),
    },
  }
}
