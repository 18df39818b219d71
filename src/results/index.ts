import { type ExitCodes, foldExit, noExitCodes } from './exit.js'
import type { Ended, Folded } from './folded.js'
import { foldKtap } from './ktap.js'
import type { ScriptProtocol } from './observed.js'
import { foldTap } from './tap.js'

export type { ScriptProtocol }

/**
 * Reads what a script left behind by the protocol that its manifest declares, and judges it by the table of verdicts.
 * `codes` are those of protocol `exit`. Never throws.
 */
export function foldScript(protocol: ScriptProtocol, ended: Ended, codes: ExitCodes = noExitCodes): Folded {
  switch (protocol) {
    case 'tap':
      return foldTap(ended)
    case 'ktap':
      return foldKtap(ended)
    case 'exit':
      return foldExit(ended, codes)
  }
}
