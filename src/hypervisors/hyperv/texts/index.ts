import { hostTexts } from './host-texts.js'
import { leaseText } from './lease-text.js'
import type { HostText } from './text.js'
import { vmTexts } from './vm-texts.js'

/** Every text that is sent to a Hyper-V host. */
export const hyperVTexts: readonly HostText[] = [
  ...Object.values(hostTexts),
  ...Object.values(vmTexts),
  leaseText,
]
