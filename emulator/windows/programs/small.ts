import { createHash } from 'node:crypto'
import { fitsPattern, resolvePath } from '../store/files.js'
import { complain, findProgram, type Program, print } from '../system/context.js'
import { compareNt } from '../system/nt.js'
import { isCodePage } from '../text/code-pages.js'

/** chcp.com: the console's code page. */
export const chcp: Program = async call => {
  const wanted = call.args[0]
  if (wanted !== undefined) {
    if (!isCodePage(Number(wanted))) {
      await print(call, 'Invalid code page\r\n')
      return 1
    }
    call.console.codePage = Number(wanted)
  }
  await print(call, `Active code page: ${call.console.codePage}\r\n`)
  return 0
}

export const hostname: Program = async call => {
  await print(call, `${call.system.computerName}\r\n`)
  return 0
}

/** whoami.exe: the user, or with `/groups` and `/priv` what the token holds. */
export const whoami: Program = async call => {
  const { computerName, accounts, persona } = call.system
  const user = call.process.user.toLowerCase()
  const args = call.args.map(it => it.toLowerCase())
  const sid = accounts.find(it => it.name.toLowerCase() === user)?.sid ?? ''
  if (args.includes('/groups')) {
    const level = persona.state.elevated
      ? 'Mandatory Label\\High Mandatory Level   Label            S-1-16-12288'
      : 'Mandatory Label\\Medium Mandatory Level Label            S-1-16-8192 '
    const admin = persona.state.elevated
      ? 'Enabled by default, Enabled group, Group owner'
      : 'Group used for deny only'
    await print(
      call,
      `\r\nGROUP INFORMATION\r\n-----------------\r\n\r\nGroup Name                             Type             SID          Attributes\r\n====================================== ================ ============ ==============================\r\nEveryone                               Well-known group S-1-1-0      Mandatory group, Enabled by default, Enabled group\r\nBUILTIN\\Administrators                 Alias            S-1-5-32-544 ${admin}\r\n${compareNt(call.system.where.nt, '6.0') >= 0 ? `${level}\r\n` : ''}`,
    )
    return 0
  }
  if (args.includes('/user')) {
    await print(
      call,
      `\r\nUSER INFORMATION\r\n----------------\r\n\r\nUser Name SID\r\n========= ===\r\n${computerName.toLowerCase()}\\${user} ${sid}\r\n`,
    )
    return 0
  }
  await print(call, `${computerName.toLowerCase()}\\${user}\r\n`)
  return 0
}

/** timeout.exe: with input from a pipe it refuses, as the true one does. */
export const timeout: Program = async call => {
  await complain(call, 'ERROR: Input redirection is not supported, exiting the process immediately.\r\n')
  return 1
}

/** ping.exe: the emulated network has itself and its gateway; the classic way to wait in a batch file. */
export const ping: Program = async call => {
  const at = call.args.findIndex(it => /^[-/]n$/i.test(it))
  const count = at < 0 ? 4 : Number(call.args[at + 1])
  const host =
    call.args
      .filter((it, index) => !/^[-/]/.test(it) && !/^[-/][nwli]$/i.test(call.args[index - 1] ?? ''))
      .at(-1) ?? ''
  const address = /^(?:localhost|127\.0\.0\.1)$/i.test(host) ? '127.0.0.1' : host
  if (!/^(?:127\.0\.0\.1|192\.168\.122\.\d+)$/.test(address)) {
    await print(call, `Ping request could not find host ${host}. Please check the name and try again.\r\n`)
    return 1
  }
  await print(call, `\r\nPinging ${address} with 32 bytes of data:\r\n`)
  for (let sent = 0; sent < count; sent++) {
    if (sent > 0) await call.process.sleep(1000)
    await print(call, `Reply from ${address}: bytes=32 time<1ms TTL=128\r\n`)
  }
  await print(
    call,
    `\r\nPing statistics for ${address}:\r\n    Packets: Sent = ${count}, Received = ${count}, Lost = 0 (0% loss),\r\nApproximate round trip times in milli-seconds:\r\n    Minimum = 0ms, Maximum = 0ms, Average = 0ms\r\n`,
  )
  return 0
}

/** where.exe: programs in the path. */
export const where: Program = async call => {
  const pattern = call.args.at(-1) ?? ''
  const found = /[*?]/.test(pattern)
    ? (call.env.get('Path') ?? '').split(';').flatMap(folder => {
        const node = call.system.files.find(resolvePath(call.cwd, folder))
        return node?.type === 'folder'
          ? [...node.entries.values()]
              .filter(it => fitsPattern(it.name, pattern))
              .map(it => `${folder}\\${it.name}`)
          : []
      })
    : [findProgram(call, pattern)?.path].filter(it => it !== undefined)
  if (found.length === 0) {
    await complain(call, 'INFO: Could not find files for the given pattern(s).\r\n')
    return 1
  }
  await print(call, found.map(it => `${it}\r\n`).join(''))
  return 0
}

/** certutil.exe: base64 both ways, and digests of files. */
export const certutil: Program = async call => {
  const { files } = call.system
  const args = call.args.filter(it => !/^[-/]f$/i.test(it))
  const [verb = '', from = '', to = ''] = args
  const source = files.find(resolvePath(call.cwd, from))
  const name = verb.replace(/^[-/]/, '').toLowerCase()
  const force = call.args.some(it => /^[-/]f$/i.test(it))
  const fail = async (code: string, text: string, status: number): Promise<number> => {
    await print(call, `CertUtil: -${name} command FAILED: ${code}\r\nCertUtil: ${text}\r\n`)
    return status
  }
  if (name !== 'encode' && name !== 'decode' && name !== 'hashfile') {
    await print(
      call,
      `CertUtil: Unknown arg: ${verb}\r\n\r\nCertUtil -? -v -- Display all help text for all verbs\r\n`,
    )
    return 0x80070057
  }
  if (source?.type !== 'file')
    return fail(
      '0x80070002 (WIN32: 2 ERROR_FILE_NOT_FOUND)',
      'The system cannot find the file specified.',
      0x80070002,
    )
  if (name === 'hashfile') {
    const algorithm = (to === '' ? 'SHA1' : to).toUpperCase()
    const digest = createHash(algorithm.toLowerCase()).update(source.data).digest('hex')
    const shown =
      compareNt(call.system.where.nt, '10.0') >= 0 ? digest : (digest.match(/../g) ?? []).join(' ')
    await print(
      call,
      `${algorithm} hash of ${compareNt(call.system.where.nt, '10.0') >= 0 ? '' : 'file '}${from}:\r\n${shown}\r\nCertUtil: -hashfile command completed successfully.\r\n`,
    )
    return 0
  }
  const target = resolvePath(call.cwd, to)
  if (files.find(target) && !force)
    return fail('0x80070050 (WIN32: 80 ERROR_FILE_EXISTS)', 'The file exists.', 0x80070050)
  let output: Buffer
  if (name === 'encode') {
    const lines = source.data.toString('base64').match(/.{1,64}/g) ?? []
    output = Buffer.from(
      `-----BEGIN CERTIFICATE-----\r\n${lines.map(line => `${line}\r\n`).join('')}-----END CERTIFICATE-----\r\n`,
    )
  } else {
    const text = source.data.toString('latin1').replace(/-----(?:BEGIN|END) [^-]*-----/g, '')
    const compact = text.replace(/\s+/g, '')
    if (compact === '' || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact))
      return fail('0x8007000d (WIN32: 13 ERROR_INVALID_DATA)', 'The data is invalid.', 0x8007000d)
    output = Buffer.from(compact, 'base64')
  }
  files.write(target, output)
  await print(
    call,
    `Input Length = ${source.data.length}\r\nOutput Length = ${output.length}\r\nCertUtil: -${name} command completed successfully.\r\n`,
  )
  return 0
}
