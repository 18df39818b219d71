import { foldExit } from './exit.js'
import type { Ended, Folded } from './folded.js'
import { foldKtap } from './ktap.js'
import { foldTap } from './tap.js'

/** The protocols in which a script may speak: declared in its manifest, never guessed. */
export type ScriptProtocol = 'tap' | 'ktap' | 'exit'

const folds: Readonly<Record<ScriptProtocol, (ended: Ended) => Folded>> = {
  tap: foldTap,
  ktap: foldKtap,
  exit: foldExit,
}

/** Folds what a script left behind by the protocol that its manifest declares. Never throws. */
export function foldScript(protocol: ScriptProtocol, ended: Ended): Folded {
  return folds[protocol](ended)
}
