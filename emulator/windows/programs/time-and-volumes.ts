import { resolvePath } from '../store/files.js'
import { complain, type Program, print } from '../system/context.js'
import { compareNt } from '../system/nt.js'
import { longTime, shortDate } from '../system/time-zone.js'
import { grouped } from '../text/tables.js'

/** w32tm.exe: `/query` from 2008 on, `/tz`, `/resync`; the emulated network has no time server to chart. */
export const w32tm: Program = async call => {
  const { system } = call
  const args = call.args.map(it => it.toLowerCase())
  const service = system.services.get('w32time')
  if (args.includes('/tz')) {
    const { biasMinutes, standardName, daylightName } = system.zone.facts
    await print(
      call,
      `Time zone: Current:TIME_ZONE_ID_${system.zone.isDaylight(system.clock.wallMs()) ? 'DAYLIGHT' : 'STANDARD'} Bias: ${biasMinutes}min (UTC=LocalTime+Bias)\r\n  [Standard Name:"${standardName}" Bias:0min Date:(M:11 D:1 DoW:0)]\r\n  [Daylight Name:"${daylightName}" Bias:-60min Date:(M:3 D:2 DoW:0)]\r\n`,
    )
    return 0
  }
  if (args.includes('/query') && compareNt(system.where.nt, '6.0') >= 0) {
    if (service?.state !== 'running') {
      await complain(call, 'The following error occurred: The service has not been started. (0x80070426)\r\n')
      return 0x80070426
    }
    const source = system.persona.state.timeSource
    if (args.includes('/source')) {
      await print(call, `${source}\r\n`)
      return 0
    }
    const t = system.zone.local(system.clock.wallMs() - 30_000)
    const free = source === 'Local CMOS Clock' || source === 'Free-running System Clock'
    await print(
      call,
      `Leap Indicator: ${free ? '3(not synchronized)' : '0(no warning)'}\r\nStratum: ${free ? '0 (unspecified)' : '3 (secondary reference - syncd by (S)NTP)'}\r\nPrecision: -23 (119.209ns per tick)\r\nRoot Delay: 0.0000000s\r\nRoot Dispersion: 0.0000000s\r\nReferenceId: 0x00000000 (unspecified)\r\nLast Successful Sync Time: ${free ? 'unspecified' : `${shortDate(t)} ${longTime(t)}`}\r\nSource: ${source}\r\nPoll Interval: 6 (64s)\r\n`,
    )
    return 0
  }
  if (args.includes('/stripchart')) {
    const host = /\/computer:(\S+)/i.exec(call.tail)?.[1] ?? ''
    await print(
      call,
      `Tracking ${host} [${host}:123].\r\nThe current time is ${shortDate(system.zone.local(system.clock.wallMs()))} ${longTime(system.zone.local(system.clock.wallMs()))}.\r\n`,
    )
    await complain(call, 'error: 0x800705B4\r\n')
    return 0
  }
  if (args.includes('/resync')) {
    await print(
      call,
      'Sending resync command to local computer\r\nThe computer did not resync because no time data was available.\r\n',
    )
    return 0x800705b4
  }
  await complain(call, 'The command line is not recognized. Run "w32tm /?" for usage.\r\n')
  return 0x80070057
}

/** fsutil.exe: volumes, in small part. */
export const fsutil: Program = async call => {
  const { system } = call
  const [verb = '', noun = '', drive = ''] = call.args.map(it => it.toLowerCase())
  if (!system.persona.state.elevated) {
    await print(call, 'Error:  Access is denied.\r\n')
    return 1
  }
  if (verb === 'dirty' && noun === 'query') {
    await print(call, `Volume - ${drive} is NOT Dirty\r\n`)
    return 0
  }
  if (verb === 'volume' && noun === 'diskfree') {
    const { freeBytes, sizeBytes } = system.persona.storage
    const number = (value: number): string =>
      compareNt(system.where.nt, '10.0') >= 0 ? grouped(value).padStart(18) : String(value)
    await print(
      call,
      `Total # of free bytes        : ${number(freeBytes)}\r\nTotal # of bytes             : ${number(sizeBytes)}\r\nTotal # of avail free bytes  : ${number(freeBytes)}\r\n`,
    )
    return 0
  }
  if (verb === 'fsinfo' && noun === 'drives') {
    await print(call, '\r\nDrives: C:\\ D:\\ \r\n')
    return 0
  }
  if (verb === 'fsinfo' && noun === 'drivetype') {
    await print(call, `${drive} - Fixed Drive\r\n`)
    return 0
  }
  if (verb === 'file' && noun === 'createnew') {
    const path = resolvePath(call.cwd, call.args[2] ?? '')
    system.files.write(path, Buffer.alloc(Math.min(Number(call.args[3] ?? 0), 64 * 2 ** 20)))
    await print(call, `File ${path} is created\r\n`)
    return 0
  }
  await print(
    call,
    `${verb === '' ? '' : `${verb} is an invalid parameter.\r\n`}---- Commands Supported ----\r\n\r\nfile            File specific commands\r\nfsinfo          File system information\r\nvolume          Volume management\r\n`,
  )
  return 1
}
