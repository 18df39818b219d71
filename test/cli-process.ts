import { fileURLToPath } from 'node:url'

const compiled = import.meta.url.endsWith('.js')
const entry = fileURLToPath(new URL(`../src/cli/main.${compiled ? 'js' : 'ts'}`, import.meta.url))

/** The program and its first arguments, as a process of its own, compiled or from source as this file is. */
export const guestcertProcess: readonly [file: string, ...args: readonly string[]] = compiled
  ? [process.execPath, entry]
  : [process.execPath, '--import', 'tsx', entry]
