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

export type Ability = (typeof abilities)[number]
