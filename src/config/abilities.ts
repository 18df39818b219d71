/** What a driver may be able to do with a guest on a given placement. Tests name what they need of it. */
export const abilities = [
  'attach-disk',
  'attach-nic',
  'console',
  'migrate',
  'nmi',
  'pause',
  'reset',
  'revert',
  'screenshot',
  'set-memory',
  'set-vcpus',
  'snapshot',
  'stop',
] as const

/** What a lab may allow of a machine that it only lends, by name: abilities of its host, and tests that alter it. */
export const allowances = [...abilities, 'alters-guest', 'own-instance'] as const

export type Allowance = (typeof allowances)[number]

export type Ability = (typeof abilities)[number]
