import type { HostText } from '../texts/text.js'
import { nova, wmiV1 } from './sources.js'

const files =
  'https://learn.microsoft.com/en-us/office/vba/language/reference/user-interface-help/filesystemobject-object'

/** What is asked of a host itself; `a` has the arguments. */
export const hostTexts = {
  facts: {
    name: 'facts',
    columns: [
      ...['product', 'build', 'revision', 'name', 'cpus', 'memory', 'folder'],
      ...['cpu', 'machine', 'firmware'],
    ],
    why: 'What the host is, and where it keeps virtual machines. The number 42 of the edition is PRODUCT_HYPERV: a Hyper-V Server.',
    sources: [
      wmiV1('Msvm_VirtualSystemManagementServiceSettingData'),
      'https://learn.microsoft.com/en-us/windows/win32/cimwin32prov/win32-operatingsystem',
      'https://learn.microsoft.com/en-us/windows/win32/api/sysinfoapi/nf-sysinfoapi-getproductinfo',
    ],
    text: String.raw`var s=gcAll('SELECT * FROM Msvm_VirtualSystemManagementServiceSettingData')[0],o=gcAll('SELECT * FROM Win32_OperatingSystem','cimv2')[0]
var c=gcAll('SELECT * FROM Win32_ComputerSystem','cimv2')[0],p=gcAll('SELECT * FROM Win32_Processor','cimv2')[0],b=gcAll('SELECT * FROM Win32_BIOS','cimv2')[0]
var n=gcShell.RegRead('HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProductName')
gcRow({product:o.OperatingSystemSKU===42&&!/^(Microsoft )?Hyper-V Server/.test(n)?'Hyper-V Server ('+n+')':n,build:o.BuildNumber,revision:null,name:c.DNSHostName+(c.PartOfDomain?'.'+c.Domain:''),cpus:c.NumberOfLogicalProcessors,memory:c.TotalPhysicalMemory,folder:s.DefaultExternalDataRoot,cpu:p.Name,machine:c.Manufacturer+' '+c.Model,firmware:b.Manufacturer+' '+b.SMBIOSBIOSVersion})`,
  },
  list: {
    name: 'list',
    columns: ['id', 'name', 'state', 'notes'],
    why: 'All virtual machines: the systems whose name is a GUID, for the words that tell them from the host are in its language. Their names need not be unique.',
    sources: [wmiV1('Msvm_ComputerSystem'), nova],
    text: String.raw`var l=gcAll('SELECT * FROM Msvm_ComputerSystem'),s=gcAll('SELECT * FROM Msvm_VirtualSystemSettingData WHERE SettingType=3'),notes={},i
for(i=0;i<s.length;i++)notes[s[i].SystemName]=s[i].Notes
for(i=0;i<l.length;i++)if(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/i.test(l[i].Name))gcRow({id:l[i].Name,name:l[i].ElementName,state:gcState(l[i]),notes:notes[l[i].Name]})`,
  },
  exists: {
    name: 'exists',
    columns: ['exists'],
    why: 'Whether a disk is there.',
    sources: [files],
    text: "gcRow({exists:gcFso.FileExists(a[0])?'True':'False'})",
  },
  space: {
    name: 'space',
    columns: ['bytes'],
    why: 'Free space on the drive of a folder.',
    sources: [files],
    text: 'gcRow({bytes:gcFso.GetDrive(gcFso.GetDriveName(a[0])).AvailableSpace})',
  },
  image: {
    name: 'image',
    columns: ['path', 'format', 'sha256'],
    why: 'Identifies a disk by all that a guest reads from it: the file and those that it differs from. A digest is kept for as long as the size and time of its file are the same. Where certutil knows no SHA256 there is none.',
    sources: [
      wmiV1('GetVirtualHardDiskInfo-Msvm_ImageManagementService'),
      'https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/certutil',
      'assumed (that certutil of Windows Server 2008 knows SHA256)',
    ],
    text: String.raw`var kept=gcOwn('digests-v1'),known={},path=a[0],depth,l,i,at,key,d
function keyOf(){var f=gcFso.GetFile(path);return path+' '+f.Size+' '+new Date(f.DateLastModified).getTime()}
if(gcFso.FileExists(kept)){
l=gcRead(kept).split('\n')
for(i=0;i<l.length;i++){at=l[i].lastIndexOf(' ');if(at>0)known['='+l[i].substring(0,at)]=l[i].substring(at+1)}}
for(depth=0;path;depth++){
if(depth===32)gcFail('Image','',path+' lies on more than 32 files')
key=keyOf()
d=known['='+key]
if(!d){
l=gcPrinted('certutil.exe -hashfile "'+path+'" SHA256').split('\n')
for(i=0;i<l.length;i++)if(/^([0-9a-f]{2} ?){32}\s*$/i.test(l[i]))d=l[i].replace(/[^0-9a-f]/gi,'').toLowerCase()
if(key!==keyOf())gcFail('Image','',path+' changed while it was read')
if(d){
gcFolder(gcFso.GetParentFolderName(kept))
gcWrite(kept+'.new',(gcFso.FileExists(kept)?gcRead(kept):'')+key+' '+d+'\n')
gcReplace(kept+'.new',kept)}}
gcRow({path:path,format:'VHD',sha256:d||''})
path=gcDisk(path)}`,
  },
  makeDisk: {
    name: 'make-disk',
    columns: ['parent'],
    why: 'Makes the disk of an instance: one that differs from a clean one, or a copy of it; says what it differs from.',
    sources: [
      wmiV1('CreateDifferencingVirtualHardDisk-Msvm_ImageManagementService'),
      wmiV1('GetVirtualHardDiskInfo-Msvm_ImageManagementService'),
      files,
    ],
    text: String.raw`gcFolder(gcFso.GetParentFolderName(a[2]))
if(a[0]==='overlay')gcService('CreateDifferencingVirtualHardDisk',{Path:a[2],ParentPath:a[1]},'Msvm_ImageManagementService')
else gcFso.CopyFile(a[1],a[2],true)
gcRow({parent:gcDisk(a[2])})`,
  },
  folders: {
    name: 'folders',
    columns: ['name'],
    why: 'The folders of instances: what a dead run may have left.',
    sources: [files],
    text: `var l=gcFso.FolderExists(a[0])?gcList(gcFso.GetFolder(a[0]).SubFolders):[],i
for(i=0;i<l.length;i++)gcRow({name:l[i].Name})`,
  },
  removeFolder: {
    name: 'remove-folder',
    columns: [],
    why: 'Removes the folder of an instance with its disks: DestroyVirtualSystem leaves all virtual disks.',
    sources: [files, wmiV1('DestroyVirtualSystem-Msvm_VirtualSystemManagementService')],
    text: 'if(gcFso.FolderExists(a[0]))gcFso.DeleteFolder(a[0],true)',
  },
  claims: {
    name: 'claims',
    columns: ['text'],
    why: 'Which virtual machines are lent to a run, and how they were found.',
    sources: [files],
    text: String.raw`var l=gcFound(gcOwn('claims-v1')),i
for(i=0;i<l.length;i++)if(/^gc-.*\.json$/.test(l[i].Name))gcRow({text:gcRead(l[i].Path)})`,
  },
  writeClaim: {
    name: 'write-claim',
    columns: [],
    why: 'Writes one down, whole or not at all.',
    sources: [files, 'https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/move'],
    text: String.raw`var f=gcOwn('claims-v1')+'\\'+a[0]+'.json'
gcFolder(gcFso.GetParentFolderName(f))
gcWrite(f+'.new',a[1])
gcReplace(f+'.new',f)`,
  },
  removeClaim: {
    name: 'remove-claim',
    columns: [],
    why: 'Removes it once the machine is given back.',
    sources: [files],
    text: String.raw`var f=gcOwn('claims-v1')+'\\'+a[0]+'.json'
if(gcFso.FileExists(f))gcFso.DeleteFile(f,true)
if(gcFso.FileExists(f+'.new'))gcFso.DeleteFile(f+'.new',true)`,
  },
} as const satisfies Readonly<Record<string, HostText>>
