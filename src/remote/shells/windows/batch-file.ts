import { longestLine } from './line.js'

/**
 * Lines as a batch file, for what is more than one command line. There `%` begins a variable always, and stands twice
 * to be itself, and cmd reads no longer lines from it than at its prompt. The file is in ASCII: other characters would
 * be read in the guest's code page. `null` for what cannot be said in it.
 */
export function batchFile(command: string): Buffer | null {
  const lines = command.split(/\r?\n/).map(line => line.replaceAll('%', '%%'))
  return lines.every(line => line.length <= longestLine && /^[\t\x20-\x7e]*$/.test(line))
    ? Buffer.from(['@echo off', ...lines, '@exit %ERRORLEVEL%', ''].join('\r\n'), 'latin1')
    : null
}
