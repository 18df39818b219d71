import type { Cmdlet } from './cmdlet.js'
import { contentCmdlets } from './content.js'
import { dataCmdlets } from './data.js'
import { hostCmdlets } from './host.js'
import { objectCmdlets } from './objects.js'
import { systemCmdlets } from './system.js'
import { wmiCmdlets } from './wmi.js'

/** The cmdlets that the emulator knows, by name in lower case. */
export const cmdlets: ReadonlyMap<string, Cmdlet> = new Map(
  [...hostCmdlets, ...objectCmdlets, ...dataCmdlets, ...wmiCmdlets, ...systemCmdlets, ...contentCmdlets].map(
    it => [it.name.toLowerCase(), it],
  ),
)
