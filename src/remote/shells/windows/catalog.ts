/**
 * Every text that is sent to a Windows guest, as data: the code that sends one takes it from here, and
 * docs/windows-commands.md is made of it, so that a person with a real Windows can try each by hand. `{HOLES}` in capitals
 * are filled in.
 */
import { InternalError } from '../../../config/errors.js'
import {
  hostServiceText,
  loginLine,
  loginProbe,
  readerText,
  scriptText,
  serviceText,
} from './powershell-text.js'

/** One kind of text that may be sent. */
export interface CatalogEntry {
  readonly text: string
  /** What takes it: the SSH server's login shell whatever it is, `cmd`, a program's standard input. */
  readonly takenBy: string
  /** The versions of Windows Server that it is for. */
  readonly versions: string
  readonly why: string
  /** What is printed and with which status it ends, as our readers expect it. */
  readonly answer: string
  /** Vendor documents; `assumed` for what is from memory alone. */
  readonly sources: readonly string[]
}

const docs = 'https://learn.microsoft.com/en-us/windows-server/administration/windows-commands'
const cmdPage = `${docs}/cmd`
const wmicPage = 'https://learn.microsoft.com/en-us/windows/win32/wmisdk/wmic'
const powershellPage =
  'https://learn.microsoft.com/en-us/powershell/module/microsoft.powershell.core/about/about_powershell_exe'

/** The texts. */
export const catalog = {
  'login-probe': {
    text: loginProbe,
    takenBy: 'the login shell, whatever it is',
    versions: 'all',
    why: 'Tells the login shell: each expands only what is its own. What stands in it is defined in every PowerShell, so that strict mode in a profile does not mind it.',
    answer:
      'The words after `gc-shell`, on one line or on several. cmd: `C:\\WINDOWS\\system32\\cmd.exe $PSHOME $?`. PowerShell: `%ComSpec% C:\\…\\WindowsPowerShell\\v1.0 True`, each word on a line of its own. Cygwin bash: `%ComSpec% 0`. Status 0.',
    sources: [
      cmdPage,
      'https://learn.microsoft.com/en-us/windows-server/administration/openssh/openssh-server-configuration',
      'assumed (for PowerShell and Cygwin)',
    ],
  },
  'in-cmd': {
    text: 'set GUESTCERT_MARK={MARK}&echo {NONCE}&{SETTINGS}cmd.exe /d /v:on /s /c "cmd.exe /d /s /c "!GC_L!"&echo {END} !ERRORLEVEL!&exit !ERRORLEVEL!"',
    takenBy: 'login shell cmd; in-powershell',
    versions: 'all',
    why: 'The frame around every command. It marks the process in its command line, and its children in their environment, so that they can be found and stopped. The command travels in the variable GC_L and is read by a cmd of its own: so an `exit` in it ends that cmd alone, and no `if` or `rem` of it swallows what follows. `{SETTINGS}` is `set NAME=VALUE&` for each variable, GC_L last, with every special character of the value after a caret; `%NAME%` of the command is expanded by its own cmd, once, as on a command line. What comes before the line NONCE is the login’s, and dropped.',
    answer:
      'NONCE on a line of its own, what the command prints, and right behind it `{END} STATUS` and a line end, with the status in decimal, signed. The status over SSH is the same: 32 bits, unsigned, or its lowest 8 bits.',
    sources: [cmdPage, `${docs}/set_1`],
  },
  'in-powershell': {
    text: loginLine,
    takenBy: 'login shell PowerShell',
    versions: '2008 R2 and later',
    why: 'The frame from PowerShell, which does not hand quotes on to programs: they travel as `%GC_Q%`, which cmd expands before it reads quotes. `{LINE-QUOTED}` is in-cmd with every `"` as `%GC_Q%` and every `\'` (and ‘ ’ ‚ ‛) doubled.',
    answer: 'As in-cmd.',
    sources: [
      powershellPage,
      'https://learn.microsoft.com/en-us/dotnet/api/system.diagnostics.processstartinfo',
    ],
  },
  'in-cygwin': {
    text: "GC_L={LINE} exec cmd.exe /d /v:on /s /c 'cmd.exe /d /s /c !GC_L!&echo {END} !ERRORLEVEL!&exit !ERRORLEVEL!'",
    takenBy: 'login shell Cygwin bash',
    versions: 'all',
    why: 'The frame from bash. The line travels in the environment, since Cygwin writes quotes for programs in a way that cmd does not read. LINE is the text `marked`, quoted for bash.',
    answer:
      'As in-cmd, with the lowest 8 bits of the status over SSH: the one on the last line is the true one.',
    sources: [cmdPage, 'https://cygwin.com/cygwin-ug-net/using-cygwinenv.html', 'assumed'],
  },
  marked: {
    text: 'set GUESTCERT_MARK={MARK}&echo {NONCE}&{SETTINGS}{COMMAND}',
    takenBy: 'in-cygwin',
    versions: 'all',
    why: 'The beginning of the frame and the command, where bash carries both.',
    answer: 'NONCE on a line of its own, what the command prints, and its status.',
    sources: [cmdPage, `${docs}/set_1`],
  },
  tools: {
    text: 'echo gc-tools&(for %t in (certutil.exe cscript.exe reg.exe taskkill.exe wevtutil.exe wbem\\wmic.exe WindowsPowerShell\\v1.0\\powershell.exe) do @if exist %SystemRoot%\\System32\\%t echo gc-has %t)',
    takenBy: 'cmd',
    versions: 'all',
    why: 'Which programs the guest has: chosen by probing, not by version. Sent in one line with the three that follow, joined by `&`. The status of that line counts for nothing.',
    answer: '`gc-tools`, then a line `gc-has NAME` for each that is there.',
    sources: [`${docs}/for`, `${docs}/if`],
  },
  'code-page': {
    text: 'echo gc-chcp&chcp',
    takenBy: 'cmd',
    versions: 'all',
    why: 'The code page that console programs print in.',
    answer: '`gc-chcp`, then a line of text in the language of the guest that ends in the number.',
    sources: [`${docs}/chcp`],
  },
  version: {
    text: 'echo gc-ver&ver',
    takenBy: 'cmd',
    versions: 'all',
    why: 'The version of Windows, in which the text differs by language and the number does not.',
    answer:
      '`gc-ver`, an empty line, then `Microsoft Windows [Version 5.2.3790]`: the last number with dots in brackets counts; 10.0 has four parts. On 2000: `Microsoft Windows 2000 [Version 5.00.2195]`.',
    sources: [`${docs}/ver`],
  },
  'powershell-version': {
    text: 'echo gc-ps&reg query HKLM\\SOFTWARE\\Microsoft\\PowerShell\\3\\PowerShellEngine /v PowerShellVersion&reg query HKLM\\SOFTWARE\\Microsoft\\PowerShell\\1\\PowerShellEngine /v PowerShellVersion',
    takenBy: 'cmd',
    versions: 'all',
    why: 'The version of PowerShell without starting it. 1.0 is not used: it knows no runspace pools.',
    answer:
      '`gc-ps`, then as reg-query for each: 3 has `3.0` to `5.1.…` and is absent before, 1 has `1.0` or `2.0`. Where reg.exe is absent, what cmd says of that.',
    sources: [
      'https://learn.microsoft.com/en-us/powershell/scripting/windows-powershell/install/windows-powershell-system-requirements',
      'assumed (the place in the registry)',
    ],
  },
  'powershell-service': {
    text: 'powershell.exe -NoLogo -NoProfile -NonInteractive -InputFormat None -OutputFormat Text -EncodedCommand {SERVICE}',
    takenBy: 'cmd',
    versions: '2008 R2 and later; PowerShell 2.0 to 5.1',
    why: 'One PowerShell for a whole connection, that takes requests from standard input. SERVICE is the service text below in UTF-16LE and base64. Not sent where the login shell is PowerShell, which takes standard input for itself: there powershell-batch is.',
    answer:
      'A line `gc hello VERSION PID` when it is ready. Then for each request (below) its rows and its end, in any order between requests. At the end of standard input status 0, once all are answered.',
    sources: [
      powershellPage,
      'https://learn.microsoft.com/en-us/dotnet/api/system.management.automation.powershell',
      'assumed (that -InputFormat None leaves standard input to the script)',
    ],
  },
  'powershell-host-service': {
    text: 'powershell.exe -NoLogo -NoProfile -NonInteractive -InputFormat None -OutputFormat Text -EncodedCommand {HOST}',
    takenBy: 'cmd',
    versions: '2012 and later, as a Hyper-V host',
    why: 'The same for a host of guests, which carries out the texts of docs/hyperv.md: each request is the names of columns, a text, and its arguments.',
    answer:
      'As powershell-service. An error is `gc ID error "IDENTIFIER|HRESULT|MESSAGE"`, with the FullyQualifiedErrorId and eight hexadecimal digits: only the message depends on the language of the host.',
    sources: [
      powershellPage,
      'https://learn.microsoft.com/en-us/dotnet/api/system.management.automation.errorrecord',
    ],
  },
  'powershell-batch': {
    text: '{POWERSHELL-SERVICE}<{FILE}',
    takenBy: 'cmd',
    versions: '2008 R2 and later',
    why: 'The same service with its requests in a file that was carried before; `&del FILE` follows.',
    answer: 'As powershell-service.',
    sources: [powershellPage],
  },
  'powershell-piped': {
    text: 'echo {REQUEST}|{POWERSHELL-SERVICE}',
    takenBy: 'cmd',
    versions: '2008 R2 and later',
    why: 'The same service with one request, of letters, digits and `\\uXXXX` alone: finds the processes of a command that has to be stopped where there is no wmic.',
    answer: 'As powershell-service.',
    sources: [powershellPage, `${docs}/echo`],
  },
  'powershell-script': {
    text: 'powershell.exe -NoLogo -NoProfile -NonInteractive -InputFormat None -OutputFormat Text -EncodedCommand {SCRIPT}',
    takenBy: 'cmd',
    versions: '2008 R2 and later',
    why: 'A script of a test (guest.powershell), in the frame below. No shipped suite sends one.',
    answer:
      '`{NONCE} begin`, what the script prints, and on a line of its own `{NONCE} HOW ERRORS LASTEXITCODE`. HOW is `end` after a script that ran to its end, `throw` after one that threw, with status 1, and `left` after `exit N`, with status N, and after `break` or `continue` outside a loop, with status 217. No such line and any status where the script ended the process or replaced standard output.',
    sources: [powershellPage],
  },
  'powershell-file': {
    text: 'powershell.exe -NoLogo -NoProfile -NonInteractive -InputFormat None -OutputFormat Text -EncodedCommand {READER}',
    takenBy: 'cmd',
    versions: '2008 R2 and later',
    why: 'A script that would make the line longer than 8,191 characters: it is carried as a file. READER is the text below, with the path of the file, in UTF-16LE and base64.',
    answer: 'As powershell-script.',
    sources: [
      powershellPage,
      'https://learn.microsoft.com/en-us/troubleshoot/windows-client/shell-experience/command-line-string-limitation',
    ],
  },
  'wmic-query': {
    text: 'wmic /namespace:\\\\{NAMESPACE} path {CLASS} {WHERE}get {PROPERTIES} /value',
    takenBy: 'cmd',
    versions: '2003 to 2022, where it is installed and PowerShell 2.0 or later is not',
    why: 'WMI without PowerShell. WHERE is empty or `where "CONDITION" `, its special characters after carets where there is a `%` in it. PROPERTIES are joined with commas.',
    answer:
      'Of each object, an empty line or two and then `Name=value` of each property, in alphabetical order, with line ends `\\r\\r\\n`. Arrays as `{"a","b"}`, null as nothing, truth as TRUE and FALSE, times in DMTF form; `&`, `<` and `>` as `&amp;`, `&lt;` and `&gt;`. In the OEM code page, or UTF-16LE with its mark. No object: nothing but blanks on standard output, a word on standard error in the language of the guest, and status 0. An error: `ERROR:` and `Description = …` on standard error, and a status that is not 0.',
    sources: [
      wmicPage,
      'https://learn.microsoft.com/en-us/previous-versions/windows/it-pro/windows-server-2003/cc757287(v=ws.10)',
      'assumed (line ends, standard error, status)',
    ],
  },
  'reg-query': {
    text: 'reg query "{KEY}"',
    takenBy: 'cmd',
    versions: '2003 and later, where PowerShell 2.0 or later is not',
    why: 'All values and the names of the subkeys of one key.',
    answer:
      'An empty line, the whole name of the key, then of each value four blanks, name, four blanks, type, four blanks, data; an empty line; then the whole name of each subkey. 2003: a line `! REG.EXE VERSION 3.0` first, and tabs between the fields. REG_DWORD as 0x1, REG_MULTI_SZ with `\\0` between. An absent key: status 1, as one that is denied; which of both, the key above it tells.',
    sources: [`${docs}/reg-query`, 'assumed (the form of 2003)'],
  },
  'wevtutil-query': {
    text: 'wevtutil qe {LOG} /q:"{XPATH}" /rd:true /c:{COUNT} /f:xml',
    takenBy: 'cmd',
    versions: '2008 and later',
    why: "Events, the newest first. XPATH is `*[System[CONDITIONS]]`, with conditions joined by ` and `: `(EventID=1074 or EventID=6005)`, `(Level=1 or Level=2)`, `Provider[@Name='EventLog']`, `EventRecordID>12`, `TimeCreated[@SystemTime>='2026-01-02T03:04:05.000Z']`.",
    answer:
      'An `<Event xmlns=…>` element for each, one a line: System with Provider Name, EventID, Level, EventRecordID, TimeCreated SystemTime; EventData with Data. Nothing and status 0 when there is none; status 15007 when there is no such log.',
    sources: [`${docs}/wevtutil`, 'https://learn.microsoft.com/en-us/windows/win32/wes/consuming-events'],
  },
  reboot: {
    text: 'shutdown -r -f -t 2 -c "guestcert {NONCE}" -d p:0:0',
    takenBy: 'cmd',
    versions: '2003 and later',
    why: 'Asks for a reboot. The comment comes back in event 1074, so that it is not taken for one of an update.',
    answer: 'Nothing, status 0; the connection ends some seconds later.',
    sources: [`${docs}/shutdown`],
  },
  taskkill: {
    text: 'taskkill /T /F{PIDS}',
    takenBy: 'cmd',
    versions: '2003 and later',
    why: 'Stops commands that reached their limit, with all that they started. PIDS is ` /PID N` for each.',
    answer: 'A line for each process; status 0, or 128 when there is none any more.',
    sources: [`${docs}/taskkill`, 'assumed (status 128)'],
  },
  mkdir: {
    text: 'if not exist "{FOLDER}\\" mkdir "{FOLDER}"',
    takenBy: 'cmd',
    versions: 'all',
    why: 'Makes the folder for files of ours, with those above it.',
    answer: 'Nothing, status 0.',
    sources: [`${docs}/mkdir`],
  },
  rmdir: {
    text: 'rmdir /s /q "{FOLDER}"',
    takenBy: 'cmd',
    versions: 'all',
    why: 'Removes it.',
    answer: 'Nothing, status 0.',
    sources: [`${docs}/rmdir`],
  },
  'temporary-folder': {
    text: 'echo gc-temp %SystemRoot%\\Temp',
    takenBy: 'cmd',
    versions: 'all',
    why: 'Where files of ours go.',
    answer: '`gc-temp C:\\WINDOWS\\Temp`',
    sources: [cmdPage],
  },
  'write-base64': {
    text: '{CHUNKS}',
    takenBy: 'cmd',
    versions: 'where the SSH server has no SFTP',
    why: 'Carries a file through the shell: `>>"FILE.b64" echo BASE64`, several joined by `&`, the first of all with `>`. The redirection stands first, for a digit before it would be taken for a handle.',
    answer: 'Nothing, status 0.',
    sources: [`${docs}/echo`],
  },
  'decode-base64': {
    text: 'certutil -f -decode "{FILE}.b64" "{FILE}"&&del "{FILE}.b64"',
    takenBy: 'cmd',
    versions: '2003 and later, where the SSH server has no SFTP',
    why: 'Turns what was carried so into the file.',
    answer: 'Some lines; status 0.',
    sources: [`${docs}/certutil`],
  },
  'encode-base64': {
    text: 'certutil -f -encode "{FILE}" "{FILE}.b64">nul&&type "{FILE}.b64"&&del "{FILE}.b64"',
    takenBy: 'cmd',
    versions: '2003 and later, where the SSH server has no SFTP',
    why: 'Reads a file back.',
    answer: 'The base64 between `-----BEGIN CERTIFICATE-----` and `-----END CERTIFICATE-----`; status 0.',
    sources: [`${docs}/certutil`],
  },
  lines: {
    text: 'cmd.exe /d /c "{FILE}"',
    takenBy: 'cmd',
    versions: 'all',
    why: 'Several lines, carried as a batch file that ends in `.cmd`: its first line is `@echo off`, every `%` of the lines is doubled, and the last line is `@exit %ERRORLEVEL%`. No line is longer than the 8,191 characters that cmd reads, there as at the prompt.',
    answer: 'As the lines; variables are not expanded in it.',
    sources: [
      'https://learn.microsoft.com/en-us/troubleshoot/windows-client/shell-experience/command-line-string-limitation',
    ],
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>

export type CommandName = keyof typeof catalog

/** The texts that are too long for the table, by the word that stands for them. */
export const longTexts: Readonly<Record<string, string>> = {
  SERVICE: serviceText,
  SCRIPT: scriptText,
  READER: readerText,
  HOST: hostServiceText,
}

/** The text of a command with its holes filled. Throws InternalError for a hole that nothing, or that is not one. */
export function commandText(name: CommandName, holes: Readonly<Record<string, string>> = {}): string {
  const used = new Set<string>()
  const text = catalog[name].text.replace(/\{([A-Z][A-Z0-9-]*)\}/g, (_, hole: string) => {
    const value = holes[hole]
    if (value === undefined) {
      throw new InternalError(`the command ${name} lacks its ${hole}`)
    }
    used.add(hole)
    return value
  })
  const unused = Object.keys(holes).find(hole => !used.has(hole))
  if (unused !== undefined) {
    throw new InternalError(`the command ${name} has no ${unused}`)
  }
  return text
}
