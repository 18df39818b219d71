import { cmd } from '../cmd/shell.js'
import { powershell } from '../powershell/program.js'
import type { Program, ProgramTable } from '../system/context.js'
import { cscript } from './cscript.js'
import { fc, find, findstr, more, sort } from './filters.js'
import { bcdedit, driverquery, ipconfig, net, systeminfo } from './inventory.js'
import { shutdown } from './power.js'
import { taskkill, tasklist } from './processes.js'
import { reg } from './reg.js'
import { sc } from './sc.js'
import { certutil, chcp, hostname, ping, timeout, where, whoami } from './small.js'
import { fsutil, w32tm } from './time-and-volumes.js'
import { wevtutil } from './wevtutil.js'
import { wmic } from './wmic.js'

/** The programs of Windows that the emulator knows, by the name of their file. Which a guest has, its persona says. */
export function makeWindowsPrograms(): ProgramTable {
  const programs: Readonly<Record<string, Program>> = {
    'bcdedit.exe': bcdedit,
    'certutil.exe': certutil,
    'chcp.com': chcp,
    'cmd.exe': cmd,
    'cscript.exe': cscript,
    'driverquery.exe': driverquery,
    'fc.exe': fc,
    'find.exe': find,
    'findstr.exe': findstr,
    'fsutil.exe': fsutil,
    'hostname.exe': hostname,
    'ipconfig.exe': ipconfig,
    'more.com': more,
    'net.exe': net,
    'ping.exe': ping,
    'powershell.exe': powershell,
    'reg.exe': reg,
    'sc.exe': sc,
    'shutdown.exe': shutdown,
    'sort.exe': sort,
    'systeminfo.exe': systeminfo,
    'taskkill.exe': taskkill,
    'tasklist.exe': tasklist,
    'timeout.exe': timeout,
    'w32tm.exe': w32tm,
    'wevtutil.exe': wevtutil,
    'where.exe': where,
    'whoami.exe': whoami,
    'wmic.exe': wmic,
  }
  return new Map(Object.entries(programs))
}
