import t from 'tap'
import { carryOutEverything } from '../everything.test.fixture.js'
import type { TextName } from '../texts/index.js'
import { scriptTexts } from './script.js'
import { type ScriptSubject, startScriptHost } from './script-host.test.fixture.js'

/** Each text with another verb, number or machine is found out by what the contract does. */
t.setTimeout(240_000)

/** What is changed in a text: the first occurrence of one word by another. */
const mutations: readonly (readonly [text: TextName, from: string, to: string])[] = [
  ['facts', 'DefaultExternalDataRoot', 'DefaultVirtualHardDiskPath'],
  ['facts', "'cimv2')[0]", "'virtualization')[0]"],
  ['list', 'name:l[i].ElementName', 'name:l[i].Name'],
  ['list', 'if(/^', 'if(!/^'],
  ['image', "gcPrinted('certutil.exe -hashfile", "gcPrinted('certutil.exe -verify"],
  ['makeDisk', 'CreateDifferencingVirtualHardDisk', 'CreateDynamicVirtualHardDisk'],
  ['makeDisk', 'Path:a[2],ParentPath:a[1]', 'Path:a[1],ParentPath:a[2]'],
  ['makeDisk', 'ParentPath:a[1]', 'Parent:a[1]'],
  ['makeDisk', 'gcFolder(gcFso.GetParentFolderName(a[2]))', 'gcFolder(a[2])'],
  ['removeFolder', 'gcFso.FolderExists', '!gcFso.FolderExists'],
  ['look', 'gcSettings(v.Name,3)', 'gcSettings(v.Name,5)'],
  ['look', "'Microsoft Virtual Hard Disk'", "'Microsoft Synthetic Disk Drive'"],
  ['look', 'cpus:p.VirtualQuantity', 'cpus:p.Reservation'],
  ['look', 'gcSettings(v.Name,5)', 'gcSettings(v.Name,3)'],
  ['state', 'gcVm(a[0])', 'gcVm(a[1])'],
  ['state', 'gcState(v)', 'v.HealthState'],
  ['clone', 'g.ElementName=a[1]', 'g.ElementName=a[0]'],
  ['clone', "g.ExternalDataRoot=a[2]+'\\\\'+a[1]", 'g.ExternalDataPath=a[2]'],
  ['clone', 'DefineVirtualSystem', 'DefineSystem'],
  ['clone', 'l.VirtualQuantity=n', 'l.Limit=n'],
  ['clone', 'l.Reservation=n', 'l.Reservation=Number(n)+1'],
  ['clone', "gcParts(t,'Msvm_ProcessorSettingData')", "gcParts(s,'Msvm_ProcessorSettingData')"],
  ['clone', 'n.Parent=c.Path_.Path', 'n.Parent=v.Path_.Path'],
  ['clone', 'n.Address=d[2]', 'n.Address=1'],
  ['clone', 'n.Connection=gcArray([d[3]])', 'n.Connection=[d[3]]'],
  ['clone', 'gcArray([d[3]])', "gcArray([d[3]+'x'])"],
  ['clone', 'if(synthetic)', 'if(!synthetic)'],
  ['clone', 'if(r)c.Connection', 'if(!r)c.Connection'],
  ['clone', 'VirtualSwitch:', 'Switch:'],
  ['clone', "cards('Msvm_SyntheticEthernetPortSettingData',true)", ''],
  ['start', 'RequestedState:2', 'RequestedState:3'],
  ['start', 'gcVm(a[0])', "gcAll('SELECT * FROM Msvm_ComputerSystem')[0]"],
  ['shutdown', 'Force:true,', ''],
  ['shutdown', "Reason:'guestcert'", 'Reason:1'],
  ['shutdown', 'InitiateShutdown', 'InitiateReboot'],
  ['shutdown', 'gcWql(gcVm(a[0]).Name)', "gcWql('x')"],
  ['turnOff', 'RequestedState:3', 'RequestedState:2'],
  ['turnOff', "'RequestStateChange'", "'RequestState'"],
  ['reset', 'RequestedState:10', 'RequestedState:11'],
  ['reset', 'RequestedState', 'State'],
  ['suspend', 'RequestedState:32768', 'RequestedState:32769'],
  ['resume', 'RequestedState:2', 'RequestedState:32768'],
  ['checkpoint', 'SourceSystem', 'AffectedSystem'],
  ['checkpoint', 'made[0].ElementName=a[1]', 'made[0].Notes=a[1]'],
  ['checkpoint', 'gcRename(v,made[0])', ''],
  ['restore', 'ApplyVirtualSystemSnapshot', 'RemoveVirtualSystemSnapshot'],
  ['restore', 'SnapshotSettingData:s.Path_.Path', 'SnapshotSettingData:v.Path_.Path'],
  ['restore', 'gcService(', 'void('],
  ['removeSnapshot', 'if(s)', 'if(!s)'],
  ['removeSnapshot', 'SnapshotSettingData', 'AffectedSnapshot'],
  ['addresses', 'gcWql(v.Name)', 'gcWql(v.ElementName)'],
  ['addresses', 'NetworkAddressIPv4', 'OSName'],
  ['remove', 'DestroyVirtualSystem', 'DestroySystem'],
  ['remove', 'ComputerSystem:v', 'SourceSystem:v'],
  ['remove', 'DeleteSwitchPort', 'DisconnectSwitchPort'],
  ['remove', 'ports.push(m[1])', ''],
]

function everything(subject: ScriptSubject): Promise<void> {
  const instance = subject.request.instance
  return carryOutEverything({
    ...subject,
    onRevert: when => {
      const own = subject.read().vms.find(({ name }) => name === instance)
      if (when === 'before' && own !== undefined) own.marker = 'written after the snapshot'
      if (when === 'after' && own?.marker !== '')
        throw new Error('what was written after the snapshot is there')
    },
  })
}

t.test('unchanged, all is well, with jobs and without', async t => {
  for (const asJobs of [true, false]) {
    const subject = startScriptHost(t)
    subject.change(world => {
      world.asJobs = asJobs
    })
    await t.resolves(everything(subject))
  }
})

for (const [name, from, to] of mutations) {
  t.test(`${name}: ${from} as ${to || 'nothing'} is found out`, async t => {
    const { text = '' } = scriptTexts[name] ?? {}
    t.ok(text.includes(from), `${name} has ${from}`)
    const subject = startScriptHost(t)
    subject.mutate(script => script.replace(text, () => text.replace(from, () => to)))
    await t.rejects(everything(subject))
  })
}

t.test('the texts that are not changed have tests of their own', async t => {
  const changed = new Set(mutations.map(([name]) => name))
  t.strictSame(
    Object.keys(scriptTexts).filter(name => !changed.has(name as TextName)),
    ['exists', 'space', 'folders', 'claims', 'writeClaim', 'removeClaim', 'notes', 'lease'],
  )
})
