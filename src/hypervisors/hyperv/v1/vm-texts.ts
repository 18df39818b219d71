import type { HostText } from '../texts/text.js'
import { nova, wmiV1 } from './sources.js'

/** What is asked of one virtual machine, by its identifier; `a` has the arguments. */
export const vmTexts = {
  look: {
    name: 'look',
    columns: [
      ...['id', 'name', 'state', 'generation', 'clustered', 'cpus', 'startup', 'assigned', 'dynamic'],
      ...['secureBoot', 'disks', 'nics', 'snapshots', 'notes'],
    ],
    why: 'One virtual machine with all that it has. A disk is its controller, number, location and path; a card its MAC address, switch and kind; a snapshot its identifier and name. DynamicMemoryEnabled is of 2008 R2 SP1.',
    sources: [
      wmiV1('Msvm_VirtualSystemSettingData'),
      wmiV1('Msvm_ResourceAllocationSettingData'),
      wmiV1('Msvm_MemorySettingData'),
      wmiV1('Msvm_SyntheticEthernetPortSettingData'),
      nova,
    ],
    text: String.raw`var v=gcVm(a[0]),s=gcSettings(v.Name,3)[0],m=gcParts(s,'Msvm_MemorySettingData')[0],p=gcParts(s,'Msvm_ProcessorSettingData')[0]
var r=gcParts(s,'Msvm_ResourceAllocationSettingData'),disks=[],nics=[],snapshots=[],scsi=gcOfType(r,'Microsoft Synthetic SCSI Controller'),i,j,l,d,dynamic=false
function drives(type,number,controller){
l=gcOfType(r,'Microsoft Synthetic Disk Drive')
for(j=0;j<l.length;j++)if(gcKey(l[j].Parent)===gcKey(controller.Path_.Path)){
d=gcChild(r,'Microsoft Virtual Hard Disk',l[j])
if(d)disks.push([type,number,l[j].Address,gcItems(d.Connection)[0]].join('\t'))}}
for(i=0;i<2;i++)if(gcIde(r,i))drives('IDE',i,gcIde(r,i))
for(i=0;i<scsi.length;i++)drives('SCSI',i,scsi[i])
function cards(name,legacy){
l=gcParts(s,name)
for(i=0;i<l.length;i++){
var on=/SystemName="([^"]*)"/.exec(gcItems(l[i].Connection)[0]||''),w=on?gcAll('SELECT * FROM Msvm_VirtualSwitch WHERE Name='+gcWql(on[1])):[]
nics.push([/^[0-9A-F]{12}$/i.test(l[i].Address)?l[i].Address:'000000000000',w.length?w[0].ElementName:'',legacy].join('\t'))}}
cards('Msvm_SyntheticEthernetPortSettingData','False')
cards('Msvm_EmulatedEthernetPortSettingData','True')
l=gcSettings(v.Name,5)
for(i=0;i<l.length;i++)snapshots.push(l[i].InstanceID.replace('Microsoft:','')+'\t'+l[i].ElementName)
try{dynamic=m.Properties_.Item('DynamicMemoryEnabled').Value===true}catch(e){}
gcRow({id:v.Name,name:v.ElementName,state:gcState(v),generation:'1',clustered:'False',cpus:p.VirtualQuantity,startup:Number(m.VirtualQuantity)*1048576,assigned:Number(m.VirtualQuantity)*1048576,dynamic:dynamic?'True':'False',secureBoot:null,disks:disks,nics:nics,snapshots:snapshots,notes:s.Notes})`,
  },
  state: {
    name: 'state',
    columns: ['id', 'name', 'state'],
    why: 'What one virtual machine does: EnabledState, and HealthState where it is 20 (major failure) or worse.',
    sources: [wmiV1('Msvm_ComputerSystem'), nova],
    text: `var v=gcVm(a[0])
gcRow({id:v.Name,name:v.ElementName,state:gcState(v)})`,
  },
  clone: {
    name: 'clone',
    columns: ['id'],
    why: 'Makes a virtual machine after another: processors, memory, cards; its disk was made before. Its memory is static. A card needs a port of its own on its switch.',
    sources: [
      wmiV1('DefineVirtualSystem-Msvm_VirtualSystemManagementService'),
      wmiV1('AddVirtualSystemResources-Msvm_VirtualSystemManagementService'),
      wmiV1('CreateSwitchPort-Msvm_VirtualSwitchManagementService'),
      nova,
    ],
    text: String.raw`var t=gcSettings(gcVm(a[0]).Name,3)[0],g=gcNew('Msvm_VirtualSystemGlobalSettingData'),d=a[4].split('\t'),v,s,r,i,n,l,c
function hex(k){for(n='';n.length<k;)n+=Math.floor(Math.random()*16).toString(16);return n}
function guid(){return [hex(8),hex(4),'4'+hex(3),'a'+hex(3),hex(12)].join('-')}
g.ElementName=a[1]
g.ExternalDataRoot=a[2]+'\\'+a[1]
g.SnapshotDataRoot=a[2]+'\\'+a[1]
g.AutomaticStartupAction=0
g.AutomaticShutdownAction=0
gcService('DefineVirtualSystem',{SystemSettingData:g.GetText_(1)})
v=gcAll('SELECT * FROM Msvm_ComputerSystem WHERE ElementName='+gcWql(a[1]))
if(v.length!==1)gcFail('Define','',v.length+' virtual machines have the name '+a[1])
v=v[0]
s=gcSettings(v.Name,3)[0]
s.Notes=a[3]
gcRename(v,s)
n=gcParts(t,'Msvm_MemorySettingData')[0].VirtualQuantity
l=gcParts(s,'Msvm_MemorySettingData')[0]
l.VirtualQuantity=n
l.Reservation=n
l.Limit=n
gcModify(v,l)
l=gcParts(s,'Msvm_ProcessorSettingData')[0]
l.VirtualQuantity=gcParts(t,'Msvm_ProcessorSettingData')[0].VirtualQuantity
l.Reservation=l.VirtualQuantity
l.Limit=100000
gcModify(v,l)
function scsi(){return gcOfType(gcParts(s,'Msvm_ResourceAllocationSettingData'),'Microsoft Synthetic SCSI Controller')}
while(d[0]==='SCSI'&&scsi().length<=Number(d[1]))gcAdd(v,gcDefault('Msvm_ResourceAllocationSettingData','Microsoft Synthetic SCSI Controller'))
c=d[0]==='SCSI'?scsi()[Number(d[1])]:gcIde(gcParts(s,'Msvm_ResourceAllocationSettingData'),d[1])
n=gcDefault('Msvm_ResourceAllocationSettingData','Microsoft Synthetic Disk Drive')
n.Parent=c.Path_.Path
n.Address=d[2]
gcAdd(v,n)
n=gcDefault('Msvm_ResourceAllocationSettingData','Microsoft Virtual Hard Disk')
n.Parent=gcChild(gcParts(s,'Msvm_ResourceAllocationSettingData'),'Microsoft Synthetic Disk Drive',c,d[2]).Path_.Path
n.Connection=gcArray([d[3]])
gcAdd(v,n)
function cards(name,synthetic){
l=gcParts(t,name)
for(i=0;i<l.length;i++){
c=gcDefault(name)
c.ElementName=l[i].ElementName
if(synthetic)c.VirtualSystemIdentifiers=gcArray(['{'+guid()+'}'])
if(a[5]==='keep'){c.Address=l[i].Address;c.StaticMacAddress=true}
r=/SystemName="([^"]*)"/.exec(gcItems(l[i].Connection)[0]||'')
if(r)c.Connection=gcArray([gcService('CreateSwitchPort',{VirtualSwitch:gcAll('SELECT * FROM Msvm_VirtualSwitch WHERE Name='+gcWql(r[1]))[0].Path_.Path,Name:guid(),FriendlyName:a[1],ScopeOfResidence:''},'Msvm_VirtualSwitchManagementService').CreatedSwitchPort])
gcAdd(v,c)}}
cards('Msvm_SyntheticEthernetPortSettingData',true)
cards('Msvm_EmulatedEthernetPortSettingData',false)
gcRow({id:v.Name})`,
  },
  notes: {
    name: 'notes',
    columns: [],
    why: 'Marks an instance as left on purpose.',
    sources: [wmiV1('ModifyVirtualSystem-Msvm_VirtualSystemManagementService'), nova],
    text: `var v=gcVm(a[0]),s=gcSettings(v.Name,3)[0]
s.Notes=a[1]
gcRename(v,s)`,
  },
  start: {
    name: 'start',
    columns: [],
    why: 'Starts it; one that was saved goes on.',
    sources: [wmiV1('RequestStateChange-Msvm_ComputerSystem'), nova],
    text: "gcCall(gcVm(a[0]),'RequestStateChange',{RequestedState:2})",
  },
  shutdown: {
    name: 'shutdown',
    columns: ['code'],
    why: 'Asks the guest to shut down. There is no service to ask while it is off, boots, or has no integration services; then the call may also fail.',
    sources: [wmiV1('Msvm_ShutdownComponent'), wmiV1('InitiateShutdown-Msvm_ShutdownComponent'), nova],
    text: String.raw`var c=gcAll('SELECT * FROM Msvm_ShutdownComponent WHERE SystemName='+gcWql(gcVm(a[0]).Name)),code='none'
if(c.length)try{code=gcCall(c[0],'InitiateShutdown',{Force:true,Reason:'guestcert'}).ReturnValue}catch(e){if(e.gcId)throw e}
gcRow({code:code})`,
  },
  turnOff: {
    name: 'turn-off',
    columns: [],
    why: 'Ends it as a power failure does; of one that is saved, the memory is dropped.',
    sources: [wmiV1('RequestStateChange-Msvm_ComputerSystem'), nova],
    text: "gcCall(gcVm(a[0]),'RequestStateChange',{RequestedState:3})",
  },
  reset: {
    name: 'reset',
    columns: ['code'],
    why: 'Presses its reset button.',
    sources: [wmiV1('RequestStateChange-Msvm_ComputerSystem'), nova],
    text: "gcCall(gcVm(a[0]),'RequestStateChange',{RequestedState:10})\ngcRow({code:'0'})",
  },
  suspend: {
    name: 'suspend',
    columns: [],
    why: 'Pauses it; its memory stays.',
    sources: [wmiV1('RequestStateChange-Msvm_ComputerSystem'), nova],
    text: "gcCall(gcVm(a[0]),'RequestStateChange',{RequestedState:32768})",
  },
  resume: {
    name: 'resume',
    columns: [],
    why: 'Lets it go on.',
    sources: [wmiV1('RequestStateChange-Msvm_ComputerSystem'), nova],
    text: "gcCall(gcVm(a[0]),'RequestStateChange',{RequestedState:2})",
  },
  checkpoint: {
    name: 'checkpoint',
    columns: [],
    why: 'Makes a snapshot with memory, and gives it its name: the host makes one up.',
    sources: [
      wmiV1('CreateVirtualSystemSnapshot-Msvm_VirtualSystemManagementService'),
      wmiV1('ModifyVirtualSystem-Msvm_VirtualSystemManagementService'),
      nova,
    ],
    text: String.raw`var v=gcVm(a[0]),l=gcSettings(v.Name,5),had={},i,made=[]
for(i=0;i<l.length;i++)had[l[i].InstanceID]=true
gcService('CreateVirtualSystemSnapshot',{SourceSystem:v.Path_.Path})
l=gcSettings(v.Name,5)
for(i=0;i<l.length;i++)if(!had[l[i].InstanceID])made.push(l[i])
if(made.length!==1)gcFail('Snapshot','',made.length+' snapshots were made')
made[0].ElementName=a[1]
gcRename(v,made[0])`,
  },
  restore: {
    name: 'restore',
    columns: [],
    why: 'Goes back to a snapshot, of a machine that is off. Its state afterwards is looked at.',
    sources: [wmiV1('ApplyVirtualSystemSnapshot-Msvm_VirtualSystemManagementService')],
    text: String.raw`var v=gcVm(a[0]),s=gcSnapshot(v,a[1])
if(!s)gcFail('NoSnapshot','','no snapshot has the identifier '+a[1])
gcService('ApplyVirtualSystemSnapshot',{ComputerSystem:v.Path_.Path,SnapshotSettingData:s.Path_.Path})`,
  },
  removeSnapshot: {
    name: 'remove-snapshot',
    columns: [],
    why: 'Deletes a snapshot. Its disks are merged when the machine is off.',
    sources: [wmiV1('RemoveVirtualSystemSnapshot-Msvm_VirtualSystemManagementService'), nova],
    text: String.raw`var s=gcSnapshot(gcVm(a[0]),a[1])
if(s)gcService('RemoveVirtualSystemSnapshot',{SnapshotSettingData:s.Path_.Path})`,
  },
  addresses: {
    name: 'addresses',
    columns: ['mac', 'given', 'seen'],
    why: 'What its guest says of its addresses (NetworkAddressIPv4, which guests know since 2008 R2), told with its first card, and what the host has in its table of neighbours for its cards.',
    sources: [
      wmiV1('Msvm_KvpExchangeComponent'),
      'https://github.com/hashicorp/packer/pull/6219',
      'https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/arp',
    ],
    text: String.raw`var v=gcVm(a[0]),s=gcSettings(v.Name,3)[0],k=gcAll('SELECT * FROM Msvm_KvpExchangeComponent WHERE SystemName='+gcWql(v.Name)),given=[],l,i,m,arp,first=true
l=k.length?gcItems(k[0].GuestIntrinsicExchangeItems):[]
for(i=0;i<l.length;i++)if(/<VALUE>NetworkAddressIPv4<\/VALUE>/.test(l[i])){
m=/NAME="Data"[^>]*>\s*<VALUE>([^<]*)</.exec(l[i])
if(m)given=m[1].split(';')}
arp=gcPrinted('arp.exe -a').split('\n')
function cards(name){
l=gcParts(s,name)
for(i=0;i<l.length;i++)if(/^[0-9A-F]{12}$/i.test(l[i].Address)){
var seen=[],j
for(j=0;j<arp.length;j++){
m=/^\s*([0-9.]+)\s+([0-9a-f]{2}(?:-[0-9a-f]{2}){5})\b/i.exec(arp[j])
if(m&&m[2].replace(/-/g,'').toUpperCase()===l[i].Address.toUpperCase())seen.push(m[1])}
gcRow({mac:l[i].Address,given:first?given:[],seen:seen})
first=false}}
cards('Msvm_SyntheticEthernetPortSettingData')
cards('Msvm_EmulatedEthernetPortSettingData')`,
  },
  remove: {
    name: 'remove',
    columns: [],
    why: 'Removes a machine that is off, and the ports that its cards had on their switches; its disks stay.',
    sources: [
      wmiV1('DestroyVirtualSystem-Msvm_VirtualSystemManagementService'),
      wmiV1('DeleteSwitchPort-Msvm_VirtualSwitchManagementService'),
      nova,
    ],
    text: String.raw`var v=gcVm(a[0]),s=gcSettings(v.Name,3)[0],l=gcParts(s,'Msvm_SyntheticEthernetPortSettingData').concat(gcParts(s,'Msvm_EmulatedEthernetPortSettingData')),ports=[],i,m,p
for(i=0;i<l.length;i++){m=/[.,]Name="([^"]*)"/.exec(gcItems(l[i].Connection)[0]||'');if(m)ports.push(m[1])}
gcService('DestroyVirtualSystem',{ComputerSystem:v.Path_.Path})
for(i=0;i<ports.length;i++){
p=gcAll('SELECT * FROM Msvm_SwitchPort WHERE Name='+gcWql(ports[i]))
if(p.length)gcService('DeleteSwitchPort',{SwitchPort:p[0].Path_.Path},'Msvm_VirtualSwitchManagementService')}`,
  },
} as const satisfies Readonly<Record<string, HostText>>
