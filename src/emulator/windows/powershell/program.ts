import type { Program } from '../system/context.js'

/** powershell.exe. */
export const powershell: Program = async () => 1
