import { complain, type Program, print } from '../system/context.js'

/** Titles of reasons by `major:minor`. See learn.microsoft.com/windows/win32/shutdown/system-shutdown-reason-codes. */
const reasons: Readonly<Record<string, string>> = {
  '0:0': 'Other',
  '2:4': 'Operating System: Recovery',
  '4:1': 'Application: Maintenance',
}

/** shutdown.exe. See learn.microsoft.com/windows-server/administration/windows-commands/shutdown. */
export const shutdown: Program = async call => {
  const { system } = call
  const args = call.args.map(it => it.replace(/^\//, '-'))
  const has = (letter: string): boolean => args.some(it => it.toLowerCase() === `-${letter}`)
  const value = (letter: string): string | undefined => {
    const at = args.findIndex(it => it.toLowerCase() === `-${letter}`)
    return at < 0 ? undefined : args[at + 1]
  }
  const known = new Set([
    'r',
    's',
    'f',
    'a',
    't',
    'c',
    'd',
    'l',
    'p',
    'h',
    'i',
    'm',
    'g',
    'hybrid',
    'e',
    'o',
    'fw',
    'soft',
  ])
  const odd = call.args.find(it => /^[-/]/.test(it) && !known.has(it.slice(1).toLowerCase()))
  if (odd !== undefined || args.length === 0) {
    await print(
      call,
      `Usage: shutdown [/i | /l | /s | /r | /g | /a | /p | /h | /e | /o] [/hybrid] [/soft] [/fw] [/f]\r\n    [/m \\\\computer][/t xxx][/d [p|u:]xx:yy [/c "comment"]]\r\n`,
    )
    return odd === undefined ? 0 : 1
  }
  if (has('a')) {
    if (system.cancelPower()) return 0
    await complain(call, 'Unable to abort the system shutdown because no shutdown was in progress.(1116)\r\n')
    return 1116
  }
  if (!has('r') && !has('s') && !has('p') && !has('g')) return 0
  const seconds = has('p') ? 0 : Number(value('t') ?? '30')
  if (!Number.isInteger(seconds) || seconds < 0) {
    await complain(call, `Invalid timeout value ${value('t') ?? ''}. (87)\r\n`)
    return 87
  }
  const planned = value('d')?.toLowerCase() ?? ''
  const [, kind = '', major = '', minor = ''] = /^(?:([pu]):)?(\d+):(\d+)$/.exec(planned) ?? []
  const code =
    major === ''
      ? 0x800000ff
      : ((kind === 'p' ? 0x80000000 : 0) | (Number(major) << 16) | Number(minor)) >>> 0
  const title =
    major === ''
      ? 'No title for this reason could be found'
      : `${reasons[`${Number(major)}:${Number(minor)}`] ?? 'Other'}${kind === 'p' ? ' (Planned)' : ' (Unplanned)'}`
  const done = system.power({
    action: has('r') || has('g') ? 'reboot' : 'off',
    delayMs: seconds * 1000,
    process: `${system.persona.os.systemRoot}\\system32\\shutdown.exe (${system.computerName})`,
    user: `${system.computerName}\\${call.process.user}`,
    reason: title,
    code: `0x${code.toString(16)}`,
    comment: value('c') ?? '',
  })
  if (done) return 0
  await complain(call, 'A system shutdown has already been scheduled.(1190)\r\n')
  return 1190
}
