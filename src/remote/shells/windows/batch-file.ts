/**
 * A line as a batch file, for what is too long for a command line. There `%` begins a variable always, and stands
 * twice to be itself. The file is in ASCII or in the guest's code page: anything else cannot be said in it.
 */
export function batchFile(line: string): Buffer | null {
  return /^[\t\x20-\x7e]*$/.test(line)
    ? Buffer.from(`@echo off\r\n${line.replaceAll('%', '%%')}\r\n@exit %ERRORLEVEL%\r\n`, 'latin1')
    : null
}
