import type { TextName } from '../texts/index.js'
import type { HostText } from '../texts/text.js'
import { hostTexts } from './host-texts.js'
import { leaseText } from './lease-text.js'
import { library, main } from './library.js'
import { vmTexts } from './vm-texts.js'

/** The texts for hosts of 2008 and 2008 R2. What is not there, these versions cannot do. */
export const scriptTexts: Readonly<Partial<Record<TextName, HostText>>> = {
  ...hostTexts,
  ...vmTexts,
  lease: leaseText,
}

/** The one script that is carried to such a host: a constant, which is told by its arguments what to do. */
export const hostScript: string = [
  library,
  ...Object.values(scriptTexts).map(({ name, text }) => `gcTexts['${name}']=function(a){\n${text}}`),
  main,
  '',
].join('\n')
