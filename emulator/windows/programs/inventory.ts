import { isDriver } from '../store/services.js'
import { type Call, complain, type Program, print } from '../system/context.js'
import { compareNt, holds } from '../system/nt.js'
import { bootedMs } from '../system/system.js'
import { longTime, shortDate } from '../system/time-zone.js'
import { csvLine, grouped, ruledTable } from '../text/tables.js'
import { address, connectionName, networkCards } from '../wmi/classes/network.js'
import { visibleBytes } from '../wmi/classes/product.js'

/** driverquery.exe: drivers with the date of their file, and with `/si` who signed them. */
export const driverquery: Program = async call => {
  const { services, devices, zone } = call.system
  const args = call.args.map(it => it.toLowerCase())
  const format = args[args.indexOf('/fo') + 1]
  const table = !args.includes('/fo') || format === 'table'
  call.system.used.add(args.includes('/si') ? 'devices' : 'services')
  const linked = (date: string): string => {
    const t = zone.local(Date.parse(`${date}T12:00:00Z`))
    return `${shortDate(t)} ${longTime(t)}`
  }
  const heads = args.includes('/si')
    ? ['DeviceName', 'InfName', 'IsSigned', 'Manufacturer']
    : ['Module Name', 'Display Name', 'Driver Type', 'Link Date']
  const widths = args.includes('/si') ? [30, 13, 8, 25] : [12, 22, 13, 22]
  const rows = args.includes('/si')
    ? devices.map(it => [
        it.name,
        it.driver?.inf ?? 'N/A',
        it.driver ? (it.driver.signed ? 'TRUE' : 'FALSE') : 'N/A',
        it.manufacturer ?? 'N/A',
      ])
    : [...services.values()]
        .filter(it => isDriver(it) && it.state === 'running')
        .map(it => [
          it.name,
          it.display,
          it.type === 'kernel' ? 'Kernel ' : 'File System ',
          linked(it.linked),
        ])
  if (table)
    await print(
      call,
      ruledTable(
        heads.map((head, index) => [head, widths[index] ?? 20] as const),
        rows,
      ),
    )
  else if (format === 'csv')
    await print(call, `${args.includes('/nh') ? '' : csvLine(heads)}${rows.map(csvLine).join('')}`)
  else
    await print(
      call,
      rows
        .map(
          row =>
            `\r\n${row.map((cell, index) => `${`${heads[index] ?? ''}:`.padEnd(20)}${cell}\r\n`).join('')}`,
        )
        .join(''),
    )
  return 0
}

/** systeminfo.exe. */
export const systeminfo: Program = async call => {
  const { system } = call
  const { persona, firmware, machine, zone, computerName, where } = system
  const { os } = persona
  const at = (ms: number): string => {
    const t = zone.local(ms)
    return `${shortDate(t)}, ${longTime(t)}`
  }
  const mib = (bytes: number): string => `${grouped(Math.floor(bytes / 2 ** 20))} MB`
  const total = visibleBytes(system)
  const pack =
    os.servicePack > 0 ? `Service Pack ${os.servicePack} ` : compareNt(where.nt, '6.0') >= 0 ? 'N/A ' : ''
  const fixes = persona.hotfixes
    .filter(group => holds(group, where))
    .flatMap(group => group.list.map(it => it.id))
  const booted = bootedMs(system)
  const uptime = compareNt(where.nt, '6.0') < 0
  const lines: readonly (readonly [string, string])[] = [
    ['Host Name:', computerName],
    ['OS Name:', os.caption],
    ['OS Version:', `${os.nt}.${os.build} ${pack}Build ${os.build}`],
    ['OS Manufacturer:', 'Microsoft Corporation'],
    ['OS Configuration:', 'Standalone Server'],
    ['OS Build Type:', 'Multiprocessor Free'],
    ['Registered Owner:', os.registeredOwner],
    ['Registered Organization:', ''],
    ['Product ID:', os.productId],
    ['Original Install Date:', at(zone.parse(os.installed))],
    uptime
      ? ['System Up Time:', upTime(Number(system.clock.uptimeNs() / 1_000_000_000n))]
      : ['System Boot Time:', at(booted)],
    ['System Manufacturer:', firmware.manufacturer],
    ['System Model:', firmware.product],
    ['System Type:', os.bits === 64 ? 'x64-based PC' : 'X86-based PC'],
    ['Processor(s):', `${machine.live.vcpus} Processor(s) Installed.`],
    ...Array.from({ length: machine.live.vcpus }, (_, index): readonly [string, string] => [
      '',
      `[${String(index + 1).padStart(2, '0')}]: ${os.bits === 64 ? 'Intel64' : 'x86'} Family ${firmware.cpuFamily} Model ${firmware.cpuModel} Stepping ${firmware.cpuStepping} ${firmware.cpuVendor} ~${firmware.cpuMhz} Mhz`,
    ]),
    ['BIOS Version:', `${firmware.biosVendor} ${firmware.biosVersion}, ${firmware.biosDate}`],
    ['Windows Directory:', os.systemRoot],
    ['System Directory:', `${os.systemRoot}\\system32`],
    ['Boot Device:', '\\Device\\HarddiskVolume1'],
    ['System Locale:', 'en-us;English (United States)'],
    ['Input Locale:', 'en-us;English (United States)'],
    ['Time Zone:', zone.facts.caption],
    ['Total Physical Memory:', mib(total)],
    ['Available Physical Memory:', mib(total * 0.7)],
    ['Page File Location(s):', 'C:\\pagefile.sys'],
    ['Domain:', 'WORKGROUP'],
    ['Logon Server:', `\\\\${computerName}`],
    ['Hotfix(s):', `${fixes.length} Hotfix(s) Installed.`],
    ...fixes.map((id, index): readonly [string, string] => [
      '',
      `[${String(index + 1).padStart(2, '0')}]: ${id}`,
    ]),
  ]
  if (call.args.join(' ').toLowerCase().includes('/fo csv')) {
    const named = lines.filter(([head]) => head !== '')
    await print(
      call,
      `${csvLine(named.map(([head]) => head.slice(0, -1)))}${csvLine(named.map(([, value]) => value))}`,
    )
  } else await print(call, `\r\n${lines.map(([head, value]) => `${head.padEnd(27)}${value}\r\n`).join('')}`)
  return 0
}

function upTime(seconds: number): string {
  const parts = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ]
  return `${parts[0]} Days, ${parts[1]} Hours, ${parts[2]} Minutes, ${parts[3]} Seconds`
}

/** ipconfig.exe, with `/all` or without. */
export const ipconfig: Program = async call => {
  const { system } = call
  const all = call.args.some(it => it.toLowerCase() === '/all')
  const line = (name: string, value: string): string =>
    `   ${`${name} `.padEnd(34, '. ').replace(/\. $/, '. ').slice(0, 34)}: ${value}\r\n`
  const card = networkCards(system)[0]
  const modern = compareNt(system.where.nt, '6.0') >= 0
  const ip = modern ? 'IPv4 Address' : 'IP Address'
  const host = all
    ? `${line('Host Name', system.computerName)}${line('Primary Dns Suffix ', '')}${line('Node Type', 'Hybrid')}${line('IP Routing Enabled', 'No')}${line('WINS Proxy Enabled', 'No')}\r\n`
    : ''
  const body =
    card && card.errorCode === 0
      ? `Ethernet adapter ${connectionName(system)}:\r\n\r\n${line('Connection-specific DNS Suffix ', '')}${all ? `${line('Description', card.name)}${line('Physical Address', system.machine.macAddress.toUpperCase().replaceAll(':', '-'))}${line('DHCP Enabled', 'Yes')}` : ''}${line(ip, `${address.ip}${all && modern ? '(Preferred) ' : ''}`)}${line('Subnet Mask', address.mask)}${line('Default Gateway', address.gateway)}${all ? line('DNS Servers', address.dns) : ''}`
      : ''
  await print(call, `\r\nWindows IP Configuration\r\n\r\n${host}${body}`)
  return 0
}

/** bcdedit.exe: what boots; it needs an elevated token. */
export const bcdedit: Program = async call => {
  const { persona, where } = call.system
  if (!persona.state.elevated) {
    await complain(call, 'The boot configuration data store could not be opened.\r\nAccess is denied.\r\n')
    return 1
  }
  const uefi = where.firmware === 'uefi'
  const entry = (title: string, values: readonly (readonly [string, string])[]): string =>
    `\r\n${title}\r\n${'-'.repeat(title.length)}\r\n${values.map(([name, value]) => `${name.padEnd(24)}${value}\r\n`).join('')}`
  const root = persona.os.systemRoot.slice(2)
  await print(
    call,
    entry('Windows Boot Manager', [
      ['identifier', '{bootmgr}'],
      ['device', `partition=\\Device\\HarddiskVolume1`],
      ...(uefi ? ([['path', '\\EFI\\Microsoft\\Boot\\bootmgfw.efi']] as const) : []),
      ['description', 'Windows Boot Manager'],
      ['locale', 'en-US'],
      ['default', '{current}'],
      ['timeout', '30'],
    ]) +
      entry('Windows Boot Loader', [
        ['identifier', '{current}'],
        ['device', 'partition=C:'],
        [
          'path',
          `${root.toLowerCase() === '\\windows' ? '\\Windows' : root}\\system32\\winload.${uefi ? 'efi' : 'exe'}`,
        ],
        ['description', persona.os.productName],
        ['locale', 'en-US'],
        ['osdevice', 'partition=C:'],
        ['systemroot', '\\Windows'],
        ['nx', 'OptOut'],
      ]),
  )
  return 0
}

/** net.exe: start (services), use, user, time, config server in small part. */
export const net: Program = async (call: Call) => {
  const { services, accounts, computerName } = call.system
  const [verb = '', name, ...rest] = call.args
  const service =
    name === undefined
      ? undefined
      : (services.get(name.toLowerCase()) ??
        [...services.values()].find(
          it => it.display.toLowerCase() === [name, ...rest].join(' ').toLowerCase(),
        ))
  switch (verb.toLowerCase()) {
    case 'start':
      if (name === undefined) {
        const running = [...services.values()]
          .filter(it => !isDriver(it) && it.state === 'running')
          .map(it => it.display)
          .sort()
        await print(
          call,
          `These Windows services are started:\r\n\r\n${running.map(it => `   ${it}\r\n`).join('')}\r\nThe command completed successfully.\r\n\r\n`,
        )
        return 0
      }
      if (!service)
        return refuse(
          call,
          'The service name is invalid.\r\n\r\nMore help is available by typing NET HELPMSG 2185.',
          2,
        )
      if (service.state === 'running')
        return refuse(
          call,
          'The requested service has already been started.\r\n\r\nMore help is available by typing NET HELPMSG 2182.',
          2,
        )
      service.state = 'running'
      await print(
        call,
        `The ${service.display} service is starting.\r\nThe ${service.display} service was started successfully.\r\n\r\n`,
      )
      return 0
    case 'stop':
      if (!service)
        return refuse(
          call,
          'The service name is invalid.\r\n\r\nMore help is available by typing NET HELPMSG 2185.',
          2,
        )
      if (service.state !== 'running')
        return refuse(
          call,
          `The ${service.display} service is not started.\r\n\r\nMore help is available by typing NET HELPMSG 3521.`,
          2,
        )
      service.state = 'stopped'
      service.pid = 0
      await print(
        call,
        `The ${service.display} service is stopping.\r\nThe ${service.display} service was stopped successfully.\r\n\r\n`,
      )
      return 0
    case 'user':
      await print(
        call,
        `\r\nUser accounts for \\\\${computerName}\r\n\r\n${'-'.repeat(79)}\r\n${accounts.map(it => it.name.padEnd(25)).join('')}\r\nThe command completed successfully.\r\n\r\n`,
      )
      return 0
    default:
      return refuse(
        call,
        'The syntax of this command is:\r\n\r\nNET\r\n    [ ACCOUNTS | COMPUTER | CONFIG | CONTINUE | FILE | GROUP | HELP |\r\n      HELPMSG | LOCALGROUP | PAUSE | SESSION | SHARE | START |\r\n      STATISTICS | STOP | TIME | USE | USER | VIEW ]',
        1,
      )
  }
}

async function refuse(call: Call, text: string, code: number): Promise<number> {
  await complain(call, `${text}\r\n\r\n`)
  return code
}
