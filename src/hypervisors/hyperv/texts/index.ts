import { hostTexts } from './host-texts.js'
import { leaseText } from './lease-text.js'
import type { HostText } from './text.js'
import { vmTexts } from './vm-texts.js'

/** What a host can be asked, by the name that the code has for it. */
export type TextName = keyof typeof hostTexts | keyof typeof vmTexts | 'lease'

/** Every text that is sent to the PowerShell of a Hyper-V host. */
export const powerShellTexts: Readonly<Record<TextName, HostText>> = {
  ...hostTexts,
  ...vmTexts,
  lease: leaseText,
}

/** The same as a list. */
export const hyperVTexts: readonly HostText[] = Object.values(powerShellTexts)
