import type { Shell } from './session.js'

/** A command inside cmd. `rest` is the line after its name, as it is. Resolves to what it returns. */
export type Builtin = (shell: Shell, rest: string) => Promise<number>
