import { fitsXPath, readXPath } from '../../programs/xpath.js'
import type { EventRecord } from '../../store/events.js'
import { levelNumbers } from '../../store/events.js'
import { isDriver, type Service } from '../../store/services.js'
import { holds } from '../../system/nt.js'
import { connectionName, networkCards } from '../../wmi/classes/network.js'
import { fail } from '../errors.js'
import { wildcard } from '../operators.js'
import { textOf } from '../text.js'
import { NetObject, nothing, PsDate, PsHash, PsObject, type Value } from '../values.js'
import { type Cmdlet, type CmdletCall, wholeOf } from './cmdlet.js'

const states = {
  running: 'Running',
  stopped: 'Stopped',
  'start-pending': 'StartPending',
  'stop-pending': 'StopPending',
  paused: 'Paused',
} as const
const starts = {
  boot: 'Boot',
  system: 'System',
  auto: 'Automatic',
  manual: 'Manual',
  disabled: 'Disabled',
} as const

function changed(service: Service, state: 'running' | 'stopped'): typeof nothing {
  service.state = state
  return nothing
}

function serviceObject(service: Service, major: number): NetObject {
  return new NetObject('System.ServiceProcess.ServiceController', {
    get: {
      status: () => states[service.state],
      name: () => service.name,
      displayname: () => service.display,
      servicename: () => service.name,
      canstop: () => service.accepts.includes('stop') && service.state === 'running',
      ...(major >= 5 ? { starttype: () => starts[service.start] } : {}),
    },
    methods: {
      start: () => changed(service, 'running'),
      stop: () => changed(service, 'stopped'),
      refresh: () => nothing,
      waitforstatus: () => nothing,
    },
    text: () => service.name,
    inner: { service },
  })
}

async function services(call: CmdletCall, work: (service: Service) => Promise<void> | void): Promise<void> {
  const names = call.piped ? call.input.map(it => textOf(it)) : call.list('Name').map(it => textOf(it))
  const all = [...call.shell.call.system.services.values()]
    .filter(it => !isDriver(it))
    .sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))
  call.shell.call.system.used.add('services')
  if (names.length === 0) for (const it of all) await work(it)
  for (const name of names) {
    const pattern = wildcard(name, false)
    const found = all.filter(it => pattern.test(it.name))
    const exact = call.shell.call.system.services.get(name.toLowerCase())
    if (found.length === 0 && exact) found.push(exact)
    for (const it of found) await work(it)
    if (found.length === 0 && !/[*?]/.test(name))
      await call.trouble({
        message: `Cannot find any service with service name '${name}'.`,
        type: 'Microsoft.PowerShell.Commands.ServiceCommandException',
        id: 'NoServiceFoundForGivenName',
        category: 'ObjectNotFound',
        target: name,
      })
  }
}

function eventObject(event: EventRecord, offset: number): PsObject {
  return new PsObject('System.Diagnostics.Eventing.Reader.EventLogRecord', [
    ['TimeCreated', new PsDate(event.timeMs, 'Local', offset)],
    ['Id', event.id],
    ['LevelDisplayName', event.level],
    ['Level', levelNumbers[event.level]],
    ['ProviderName', event.source],
    ['LogName', event.log],
    ['RecordId', BigInt(event.record)],
    ['MachineName', event.computer],
    ['Message', event.text],
    [
      'Properties',
      event.inserts.map(
        it => new PsObject('System.Diagnostics.Eventing.Reader.EventProperty', [['Value', it]]),
      ),
    ],
  ])
}

const listOf = (value: Value): readonly Value[] =>
  value === null ? [] : Array.isArray(value) ? value : [value]

async function winEvents(call: CmdletCall): Promise<void> {
  const { system } = call.shell.call
  const filter = call.value('FilterHashtable')
  const hash = filter instanceof PsHash ? filter : new PsHash()
  const log = call.text('LogName') ?? textOf(hash.get('LogName'))
  const records = system.events.read(log)
  if (!records)
    throw fail({
      message: `There is not an event log on the localhost computer that matches "${log}".`,
      type: 'System.Exception',
      id: 'NoMatchingLogsFound,Microsoft.PowerShell.Commands.GetWinEventCommand',
      category: 'ObjectNotFound',
      activity: 'Get-WinEvent',
    })
  const xpath = call.text('FilterXPath')
  const test = xpath === undefined ? undefined : readXPath(xpath)
  const ids = listOf(hash.get('Id') ?? hash.get('ID')).map(Number)
  const levels = listOf(hash.get('Level')).map(Number)
  const providers = listOf(hash.get('ProviderName')).map(it => textOf(it).toLowerCase())
  const after = hash.get('StartTime')
  let found = [...records].filter(
    it =>
      (!test || fitsXPath(test, it)) &&
      (ids.length === 0 || ids.includes(it.id)) &&
      (levels.length === 0 || levels.includes(levelNumbers[it.level])) &&
      (providers.length === 0 || providers.includes(it.source.toLowerCase())) &&
      (!(after instanceof PsDate) || it.timeMs >= after.ms),
  )
  if (!call.flag('Oldest')) found = found.reverse()
  const most = wholeOf(call.value('MaxEvents'))
  if (most !== undefined) found = found.slice(0, most)
  if (found.length === 0)
    return call.trouble({
      message: 'No events were found that match the specified selection criteria.',
      type: 'System.Exception',
      id: 'NoMatchingEventsFound',
      category: 'ObjectNotFound',
    })
  for (const it of found) await call.emit(eventObject(it, call.shell.offsetMinutes(it.timeMs)))
}

/** Cmdlets for services, processes, logs and the machine. */
export const systemCmdlets: readonly Cmdlet[] = [
  {
    name: 'Get-Service',
    parameters: 'Name DisplayName= Include= Exclude= ComputerName= DependentServices? RequiredServices?',
    run: call => services(call, it => call.emit(serviceObject(it, call.shell.major))),
  },
  {
    name: 'Start-Service',
    parameters: 'Name PassThru?',
    run: call => services(call, it => void (it.state = 'running')),
  },
  {
    name: 'Stop-Service',
    parameters: 'Name Force? PassThru? NoWait?',
    run: call => services(call, it => void (it.state = 'stopped')),
  },
  {
    name: 'Restart-Service',
    parameters: 'Name Force? PassThru?',
    run: call => services(call, it => void (it.state = 'running')),
  },
  {
    name: 'Get-Process',
    parameters: 'Name Id= ComputerName= IncludeUserName?',
    run: async call => {
      const ids = call.list('Id').map(Number)
      const names = call.list('Name').map(it => textOf(it))
      const found = call.shell.call.system.processes
        .list()
        .filter(
          it =>
            (ids.length === 0 || ids.includes(it.pid)) &&
            (names.length === 0 ||
              names.some(name => wildcard(name, false).test(it.image.replace(/\.exe$/i, '')))),
        )
      if (found.length === 0)
        return call.trouble({
          message:
            ids.length > 0
              ? `Cannot find a process with the process identifier ${ids[0]}.`
              : `Cannot find a process with the name "${names[0] ?? ''}". Verify the process name and call the cmdlet again.`,
          type: 'Microsoft.PowerShell.Commands.ProcessCommandException',
          id: ids.length > 0 ? 'NoProcessFoundForGivenId' : 'NoProcessFoundForGivenName',
          category: 'ObjectNotFound',
          target: String(ids[0] ?? names[0] ?? ''),
        })
      for (const it of found)
        await call.emit(
          new PsObject('System.Diagnostics.Process', [
            ['Id', it.pid],
            ['ProcessName', it.image.replace(/\.exe$/i, '')],
            ['Name', it.image.replace(/\.exe$/i, '')],
            ['SessionId', it.session],
            ['WorkingSet64', BigInt(it.kb * 1024)],
            ['WS', it.kb * 1024],
            ['StartTime', new PsDate(it.startedMs, 'Local', call.shell.offsetMinutes(it.startedMs))],
          ]),
        )
    },
  },
  {
    name: 'Stop-Process',
    parameters: 'Id Name= Force? InputObject= PassThru?',
    run: async call => {
      for (const id of call.list('Id').map(Number)) {
        const process = call.shell.call.system.processes.get(id)
        if (!process)
          await call.trouble({
            message: `Cannot find a process with the process identifier ${id}.`,
            type: 'Microsoft.PowerShell.Commands.ProcessCommandException',
            id: 'NoProcessFoundForGivenId',
            category: 'ObjectNotFound',
            target: String(id),
          })
        else process.terminate(0xffffffff)
      }
    },
  },
  {
    name: 'Get-WinEvent',
    parameters: 'LogName MaxEvents= FilterHashtable= FilterXPath= Oldest? ProviderName= ListLog= Force?',
    run: winEvents,
  },
  {
    name: 'Get-EventLog',
    parameters: 'LogName InstanceId Newest= Source= EntryType= After= Before= Index= Message= List?',
    run: async call => {
      const records = call.shell.call.system.events.read(call.text('LogName') ?? '')
      if (!records)
        throw fail({
          message: `The event log '${call.text('LogName') ?? ''}' on computer '.' does not exist.`,
          type: 'System.InvalidOperationException',
          id: 'System.InvalidOperationException,Microsoft.PowerShell.Commands.GetEventLogCommand',
          activity: 'Get-EventLog',
        })
      const [after, source, types, most] = [
        call.value('After'),
        call.text('Source'),
        call.list('EntryType').map(it => textOf(it).toLowerCase()),
        wholeOf(call.value('Newest')),
      ]
      const found = [...records]
        .reverse()
        .filter(
          it =>
            (source === undefined || it.source.toLowerCase() === source.toLowerCase()) &&
            (types.length === 0 || types.includes(it.level.toLowerCase())) &&
            (!(after instanceof PsDate) || it.timeMs >= after.ms),
        )
      for (const it of found.slice(0, most ?? found.length)) {
        const at = new PsDate(
          Math.floor(it.timeMs / 1000) * 1000,
          'Local',
          call.shell.offsetMinutes(it.timeMs),
        )
        await call.emit(
          new PsObject('System.Diagnostics.EventLogEntry', [
            ['Index', it.record],
            ['TimeGenerated', at],
            ['EntryType', it.level],
            ['Source', it.source],
            ['EventID', it.id],
            ['InstanceId', BigInt(it.id)],
            ['Message', it.text],
            ['ReplacementStrings', it.inserts],
            ['MachineName', it.computer],
          ]),
        )
      }
    },
  },
  {
    name: 'Get-HotFix',
    parameters: 'Id Description= ComputerName=',
    run: async call => {
      const { persona, where, computerName } = call.shell.call.system
      const ids = call.list('Id').map(it => textOf(it).toLowerCase())
      for (const it of persona.hotfixes.filter(group => holds(group, where)).flatMap(group => group.list))
        if (ids.length === 0 || ids.includes(it.id.toLowerCase()))
          await call.emit(
            new PsObject('System.Management.ManagementObject#root\\cimv2\\Win32_QuickFixEngineering', [
              ['Source', computerName],
              ['Description', it.kind],
              ['HotFixID', it.id],
              ['InstalledBy', 'NT AUTHORITY\\SYSTEM'],
              ['InstalledOn', it.installed],
            ]),
          )
    },
  },
  {
    name: 'Restart-Computer',
    parameters: 'ComputerName Force? Wait? Timeout= Delay=',
    run: async call => down(call, 'reboot'),
  },
  { name: 'Stop-Computer', parameters: 'ComputerName Force?', run: async call => down(call, 'off') },
  {
    name: 'Get-Culture',
    parameters: '',
    run: async call => {
      await call.emit(
        new PsObject('System.Globalization.CultureInfo', [
          ['LCID', 1033],
          ['Name', 'en-US'],
          ['DisplayName', 'English (United States)'],
        ]),
      )
    },
  },
  {
    name: 'Get-TimeZone',
    since: 5,
    parameters: 'Name Id=',
    run: async call => {
      const { facts } = call.shell.call.system.zone
      await call.emit(
        new PsObject('System.TimeZoneInfo', [
          ['Id', facts.key],
          ['DisplayName', facts.caption],
          ['StandardName', facts.standardName],
          ['DaylightName', facts.daylightName],
          ['SupportsDaylightSavingTime', facts.daylight !== 'none'],
        ]),
      )
    },
  },
  {
    name: 'Get-NetAdapter',
    since: 3,
    parameters: 'Name InterfaceDescription= Physical? IncludeHidden?',
    run: async call => {
      const { system } = call.shell.call
      for (const card of networkCards(system))
        await call.emit(
          new PsObject('MSFT_NetAdapter', [
            ['Name', connectionName(system)],
            ['InterfaceDescription', card.name],
            ['ifIndex', 11],
            ['Status', card.errorCode === 0 ? 'Up' : 'Not Present'],
            ['MacAddress', system.machine.macAddress.toUpperCase().replaceAll(':', '-')],
            ['LinkSpeed', '10 Gbps'],
            ['ComponentID', card.hardwareIds[0] ?? ''],
            ['DriverFileName', `${card.service ?? ''}.sys`],
            ['PermanentAddress', system.machine.macAddress.toUpperCase().replaceAll(':', '')],
          ]),
        )
    },
  },
  {
    name: 'Get-PnpDevice',
    since: 5,
    parameters: 'InstanceId FriendlyName= Class= Status= PresentOnly?',
    run: async call => {
      const wanted = call.text('Class')
      for (const it of call.shell.call.system.devices)
        if (wanted === undefined || it.class.toLowerCase() === wanted.toLowerCase())
          await call.emit(
            new PsObject('Win32_PnPEntity', [
              ['Status', it.status],
              ['Class', it.class],
              ['FriendlyName', it.name],
              ['InstanceId', it.id],
              ['Service', it.service],
              ['Problem', it.errorCode],
              ['HardwareID', it.hardwareIds],
            ]),
          )
    },
  },
  {
    name: 'Confirm-SecureBootUEFI',
    since: 3,
    parameters: '',
    run: async call => {
      if (call.shell.call.system.where.firmware !== 'uefi')
        return call.trouble({
          message: 'Cmdlet not supported on this platform: 0xC0000002',
          type: 'System.PlatformNotSupportedException',
          id: 'GetFWVarFailed',
          category: 'NotImplemented',
        })
      await call.emit(true)
    },
  },
]

function down(call: CmdletCall, action: 'reboot' | 'off'): void {
  const { system, process } = call.shell.call
  system.power({
    action,
    delayMs: 0,
    process: `${system.persona.os.systemRoot}\\system32\\wbem\\wmiprvse.exe (${system.computerName})`,
    user: `${system.computerName}\\${process.user}`,
    reason: 'No title for this reason could be found',
    code: '0x80070015',
    comment: '',
  })
}
