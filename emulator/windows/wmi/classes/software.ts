import { levelNumbers } from '../../store/events.js'
import { sizeOf, type WinNode } from '../../store/files.js'
import { isDriver, type Service } from '../../store/services.js'
import { compareNt, holds } from '../../system/nt.js'
import type { WindowsSystem } from '../../system/system.js'
import { CimDate, type Row } from '../values.js'
import { versionOf } from './product.js'

const serviceTypes = {
  own: 'Own Process',
  share: 'Share Process',
  kernel: 'Kernel Driver',
  filesystem: 'File System Driver',
} as const
const states = {
  running: 'Running',
  stopped: 'Stopped',
  'start-pending': 'Start Pending',
  'stop-pending': 'Stop Pending',
  paused: 'Paused',
} as const
const starts = {
  boot: 'Boot',
  system: 'System',
  auto: 'Auto',
  manual: 'Manual',
  disabled: 'Disabled',
} as const

function service(system: WindowsSystem, it: Service): Row {
  return {
    AcceptPause: it.state === 'running' && it.accepts.includes('pause'),
    AcceptStop: it.state === 'running' && it.accepts.includes('stop'),
    Caption: it.display,
    CheckPoint: 0,
    CreationClassName: isDriver(it) ? 'Win32_SystemDriver' : 'Win32_Service',
    DelayedAutoStart: it.delayed,
    Description: it.description || it.display,
    DesktopInteract: false,
    DisplayName: it.display,
    ErrorControl: 'Normal',
    ExitCode: it.exitCode,
    Name: it.name,
    PathName: it.path,
    ProcessId: it.pid,
    ServiceSpecificExitCode: 0,
    ServiceType: serviceTypes[it.type],
    Started: it.state !== 'stopped',
    StartMode: starts[it.start],
    StartName: it.account,
    State: states[it.state],
    Status: it.state === 'running' || it.state === 'stopped' ? 'OK' : 'Unknown',
    SystemName: system.computerName,
    TagId: 0,
    WaitHint: 0,
  }
}

function processes(system: WindowsSystem): readonly Row[] {
  return system.processes.list().map(it => ({
    Caption: it.image,
    CommandLine: it.line || null,
    CreationDate: it.pid === 0 ? null : new CimDate(it.startedMs, system.zone),
    CSName: system.computerName,
    Description: it.image,
    ExecutablePath:
      /\.exe$/i.test(it.image) && it.line ? (/^"?([^"]*?\.exe)/i.exec(it.line)?.[1] ?? null) : null,
    Handle: String(it.pid),
    Name: it.image,
    OSName: `${system.persona.os.caption}|${system.persona.os.systemRoot}`,
    ParentProcessId: it.ppid,
    Priority: 8,
    ProcessId: it.pid,
    SessionId: it.session,
    ThreadCount: 4,
    WindowsVersion: versionOf(system),
    WorkingSetSize: it.kb * 1024,
  }))
}

function logEvents({ events, zone, computerName }: WindowsSystem): readonly Row[] {
  return events.names().flatMap(log =>
    [...(events.read(log) ?? [])].reverse().map(event => ({
      Category: event.category,
      CategoryString: null,
      ComputerName: computerName,
      Data: null,
      EventCode: event.id,
      EventIdentifier: (event.level === 'Information' ? 0x4000_0000 : 0x8000_0000) + event.id,
      EventType: event.level === 'Information' ? 3 : event.level === 'Warning' ? 2 : 1,
      InsertionStrings: event.inserts.length > 0 ? event.inserts : null,
      Logfile: log,
      Message: event.text,
      RecordNumber: event.record,
      SourceName: event.source,
      TimeGenerated: new CimDate(Math.floor(event.timeMs / 1000) * 1000, zone),
      TimeWritten: new CimDate(Math.floor(event.timeMs / 1000) * 1000, zone),
      Type: levelNumbers[event.level] <= 2 ? 'Error' : event.level,
      User: event.user ?? null,
    })),
  )
}

function hotfixes({ persona, where, computerName }: WindowsSystem): readonly Row[] {
  return persona.hotfixes
    .filter(group => holds(group, where))
    .flatMap(group => group.list)
    .map(({ id, kind, installed }) => ({
      Caption:
        compareNt(where.nt, '6.0') >= 0
          ? `http://support.microsoft.com/?kbid=${id.replace(/^KB/, '')}`
          : null,
      CSName: computerName,
      Description: kind,
      FixComments: compareNt(where.nt, '6.0') >= 0 ? null : 'Update',
      HotFixID: id,
      InstalledBy: compareNt(where.nt, '6.0') >= 0 ? 'NT AUTHORITY\\SYSTEM' : 'Administrator',
      InstalledOn: installed,
      ServicePackInEffect: compareNt(where.nt, '6.0') >= 0 ? null : 'SP3',
    }))
}

function licensing({ persona, zone }: WindowsSystem): readonly Row[] {
  const { activation, os } = persona
  const ends = new CimDate(Date.UTC(1601, 0, 1), zone)
  return [
    {
      ApplicationID: '55c92734-d682-4d71-983e-d6ec3f16059f',
      Description: activation.description,
      EvaluationEndDate: ends,
      GenuineStatus: activation.status === 1 ? 0 : 1,
      GracePeriodRemaining: activation.graceMinutes,
      ID: '21c56779-b449-4d20-adfc-eece0e1ad74b',
      LicenseFamily: os.editionId ?? 'ServerStandard',
      LicenseStatus: activation.status,
      LicenseStatusReason: activation.status === 1 ? 0 : 0xc004_f034,
      Name: `Windows(R), ${os.editionId ?? 'ServerStandard'} edition`,
      PartialProductKey: activation.partialKey,
      ProductKeyChannel: activation.channel,
      ProductKeyID: os.productId,
      RemainingAppReArmCount: 1,
    },
    {
      ApplicationID: '55c92734-d682-4d71-983e-d6ec3f16059f',
      Description: 'Windows(R) Operating System, OEM_COA_NSLP channel',
      GracePeriodRemaining: 0,
      ID: '0f45a589-be4f-4c9f-ab42-5ca9d7d6d8a1',
      LicenseFamily: 'ServerDatacenter',
      LicenseStatus: 0,
      Name: 'Windows(R), ServerDatacenter edition',
    },
  ]
}

function activation({ persona, computerName }: WindowsSystem): readonly Row[] {
  const { status, graceMinutes, evaluation } = persona.activation
  const days = Math.ceil(graceMinutes / 1440)
  const unlimited = 2_147_483_647
  return [
    {
      ActivationRequired: status === 1 ? 0 : 1,
      IsNotificationOn: 1,
      ProductID: persona.os.productId,
      RemainingEvaluationPeriod: evaluation ? days : unlimited,
      RemainingGracePeriod: status === 1 ? unlimited : days,
      ServerName: computerName,
    },
  ]
}

function dataFiles(system: WindowsSystem): readonly Row[] {
  const rows: Row[] = []
  const visit = (node: WinNode, path: string): void => {
    if (node.type === 'folder') {
      for (const child of node.entries.values()) visit(child, `${path}\\${child.name}`)
      return
    }
    const name = path.toLowerCase()
    const dot = node.name.lastIndexOf('.')
    rows.push({
      Archive: true,
      Caption: name,
      Description: name,
      Drive: 'c:',
      Extension: dot < 0 ? '' : node.name.slice(dot + 1).toLowerCase(),
      FileName: dot < 0 ? node.name : node.name.slice(0, dot),
      FileSize: sizeOf(node),
      FSName: 'NTFS',
      Hidden: false,
      LastModified: new CimDate(node.modifiedMs, system.zone),
      Manufacturer: node.company ?? null,
      Name: name,
      Path: name.slice(2, name.lastIndexOf('\\') + 1),
      Readable: true,
      Status: 'OK',
      Version: node.version ?? null,
      Writeable: !node.readOnly,
    })
  }
  visit(system.files.root, 'C:')
  return rows
}

function recovery({ registry }: WindowsSystem): readonly Row[] {
  const key = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\CrashControl'
  const dump = registry.text(key, 'DumpFile') ?? ''
  const mini = registry.text(key, 'MinidumpDir') ?? ''
  return [
    {
      AutoReboot: registry.text(key, 'AutoReboot') === '1',
      DebugFilePath: dump,
      DebugInfoType: Number(registry.text(key, 'CrashDumpEnabled') ?? 0),
      ExpandedDebugFilePath: dump.replace(/%SystemRoot%/i, 'C:\\Windows'),
      ExpandedMiniDumpDirectory: mini.replace(/%SystemRoot%/i, 'C:\\Windows'),
      KernelDumpOnly: false,
      MiniDumpDirectory: mini,
      Name: 'Microsoft Windows',
      OverwriteExistingDebugFile: true,
      WriteDebugInfo: true,
      WriteToSystemLog: true,
    },
  ]
}

function pageFile({ persona, zone }: WindowsSystem): readonly Row[] {
  const { pageFileMiB } = persona.memory
  if (pageFileMiB === 0) return []
  return [
    {
      AllocatedBaseSize: pageFileMiB,
      Caption: 'C:\\pagefile.sys',
      CurrentUsage: 0,
      Description: 'C:\\pagefile.sys',
      InstallDate: new CimDate(zone.parse(persona.os.installed), zone),
      Name: 'C:\\pagefile.sys',
      PeakUsage: 0,
      TempPageFile: false,
    },
  ]
}

/** Services, processes, logs, updates, licences, files. */
export const softwareProviders: Readonly<Record<string, (system: WindowsSystem) => readonly Row[]>> = {
  Win32_Service: system =>
    [...system.services.values()].filter(it => !isDriver(it)).map(it => service(system, it)),
  Win32_SystemDriver: system => [...system.services.values()].filter(isDriver).map(it => service(system, it)),
  Win32_Process: processes,
  Win32_NTLogEvent: logEvents,
  Win32_NTEventlogFile: ({ events }) =>
    events.names().map(log => ({
      FileName: log,
      FileSize: 69_632,
      LogfileName: log,
      MaxFileSize: 20_971_520,
      Name: `C:\\Windows\\System32\\Winevt\\Logs\\${log}.evtx`,
      NumberOfRecords: events.read(log)?.length ?? 0,
      OverwriteOutDated: 0,
      OverWritePolicy: 'WhenNeeded',
    })),
  Win32_QuickFixEngineering: hotfixes,
  Win32_PageFileUsage: pageFile,
  Win32_PageFileSetting: () => [],
  SoftwareLicensingProduct: licensing,
  SoftwareLicensingService: system => [{ RemainingWindowsReArmCount: 3, Version: versionOf(system) }],
  Win32_WindowsProductActivation: activation,
  CIM_DataFile: dataFiles,
  Win32_OSRecoveryConfiguration: recovery,
  Win32_Environment: ({ environment }) =>
    [...environment].map(([name, value]) => ({
      Caption: `<SYSTEM>\\${name}`,
      Name: name,
      SystemVariable: true,
      UserName: '<SYSTEM>',
      VariableValue: value,
    })),
  Win32_UserAccount: ({ accounts, computerName }) =>
    accounts.map(({ name, sid }) => ({
      AccountType: 512,
      Caption: `${computerName}\\${name}`,
      Disabled: false,
      Domain: computerName,
      LocalAccount: true,
      Lockout: false,
      Name: name,
      SID: sid,
      SIDType: 1,
      Status: 'OK',
    })),
  Win32_OptionalFeature: () => [],
  Win32_ServerFeature: () => [],
}
