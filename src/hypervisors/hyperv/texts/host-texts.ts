import { registryFunction } from '../../../remote/index.js'
import { cmdlet, type HostText, pathFunction } from './text.js'

const file = 'https://learn.microsoft.com/en-us/dotnet/api/system.io.file'
const folder = 'https://learn.microsoft.com/en-us/dotnet/api/system.io.directory'

/** What is asked of a host itself. */
export const hostTexts = {
  facts: {
    name: 'facts',
    columns: [
      'product',
      'build',
      'revision',
      'name',
      'cpus',
      'memory',
      'folder',
      'cpu',
      'machine',
      'firmware',
    ],
    why: 'What the host is, and where it keeps virtual machines.',
    sources: [
      cmdlet('Get-VMHost'),
      'https://learn.microsoft.com/en-us/windows/win32/cimwin32prov/win32-processor',
    ],
    text: String.raw`${registryFunction}
$h=Hyper-V\Get-VMHost
$k=(Gc-Hive HKLM).OpenSubKey('SOFTWARE\Microsoft\Windows NT\CurrentVersion')
$p=@(CimCmdlets\Get-CimInstance -Namespace root\cimv2 -ClassName Win32_Processor)[0]
$s=@(CimCmdlets\Get-CimInstance -Namespace root\cimv2 -ClassName Win32_ComputerSystem)[0]
$b=@(CimCmdlets\Get-CimInstance -Namespace root\cimv2 -ClassName Win32_BIOS)[0]
@{product=$k.GetValue('ProductName');build=$k.GetValue('CurrentBuild');revision=$k.GetValue('UBR')
name=$h.FullyQualifiedDomainName;cpus=$h.LogicalProcessorCount;memory=$h.MemoryCapacity;folder=$h.VirtualMachinePath
cpu=$p.Name;machine="$($s.Manufacturer) $($s.Model)";firmware="$($b.Manufacturer) $($b.SMBIOSBIOSVersion)"}`,
  },
  list: {
    name: 'list',
    columns: ['id', 'name', 'state', 'notes'],
    why: 'All virtual machines. Names need not be unique, and -Name takes wildcards: all else is asked by identifier.',
    sources: [cmdlet('Get-VM')],
    text: String.raw`Hyper-V\Get-VM|ForEach-Object{@{id="$($_.Id)";name=$_.Name;state="$($_.State)";notes=$_.Notes}}`,
  },
  exists: {
    name: 'exists',
    columns: ['exists'],
    why: 'Whether a disk is there.',
    sources: [file],
    text: `param($path)
${pathFunction}
@{exists=[IO.File]::Exists((Gc-Path $path))}`,
  },
  space: {
    name: 'space',
    columns: ['bytes'],
    why: 'Free space on the drive of a folder.',
    sources: ['https://learn.microsoft.com/en-us/dotnet/api/system.io.driveinfo.availablefreespace'],
    text: `param($folder)
${pathFunction}
@{bytes=(New-Object IO.DriveInfo ([IO.Path]::GetPathRoot((Gc-Path $folder)))).AvailableFreeSpace}`,
  },
  image: {
    name: 'image',
    columns: ['path', 'format', 'sha256'],
    why: 'Identifies a disk by all that a guest reads from it: the file and those that it differs from. A digest is kept for as long as the size and time of its file are the same.',
    sources: [cmdlet('Get-VHD'), `${file}stream`],
    text: String.raw`param($path)
${pathFunction}
$c=Gc-Path "$env:ProgramData\guestcert\digests"
$known=@{}
if([IO.File]::Exists($c)){foreach($l in [IO.File]::ReadAllLines($c)){$i=$l.LastIndexOf(' ');if($i -gt 0){$known[$l.Substring(0,$i)]=$l.Substring($i+1)}}}
for($depth=0;$path;$depth++){
if($depth -eq 32){throw "$path lies on more than 32 files"}
$v=Hyper-V\Get-VHD -Path $path
$f=New-Object IO.FileInfo (Gc-Path $path)
$key="$path $($f.Length) $($f.LastWriteTimeUtc.Ticks)"
$d=$known[$key]
if(!$d){
$s=New-Object IO.FileStream ($f.FullName,'Open','Read','Read')
try{$d=[BitConverter]::ToString([Security.Cryptography.SHA256]::Create().ComputeHash($s)).Replace('-','').ToLower()}finally{$s.Dispose()}
$f.Refresh()
if($key -cne "$path $($f.Length) $($f.LastWriteTimeUtc.Ticks)"){throw "$path changed while it was read"}
[void][IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($c))
[IO.File]::AppendAllText($c,"$key $d"+[char]10)}
@{path=$path;format="$($v.VhdFormat)";sha256=$d}
$path=$v.ParentPath}`,
  },
  makeDisk: {
    name: 'make-disk',
    columns: ['parent'],
    why: 'Makes the disk of an instance: one that differs from a clean one, or a copy of it; says what it differs from.',
    sources: [cmdlet('New-VHD'), file],
    text: String.raw`param($how,$from,$path)
${pathFunction}
[void][IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName((Gc-Path $path)))
if($how -eq 'overlay'){[void](Hyper-V\New-VHD -Path $path -ParentPath $from -Differencing)}
else{[IO.File]::Copy((Gc-Path $from),(Gc-Path $path),$true)}
@{parent=(Hyper-V\Get-VHD -Path $path).ParentPath}`,
  },
  folders: {
    name: 'folders',
    columns: ['name'],
    why: 'The folders of instances: what a dead run may have left.',
    sources: [folder],
    text: `param($folder)
${pathFunction}
$d=Gc-Path $folder
if([IO.Directory]::Exists($d)){foreach($n in [IO.Directory]::GetDirectories($d)){@{name=[IO.Path]::GetFileName($n)}}}`,
  },
  removeFolder: {
    name: 'remove-folder',
    columns: [],
    why: 'Removes the folder of an instance with its disks: Remove-VM leaves all virtual disks.',
    sources: [folder, cmdlet('Remove-VM')],
    text: `param($folder)
${pathFunction}
$d=Gc-Path $folder
if([IO.Directory]::Exists($d)){[IO.Directory]::Delete($d,$true)}`,
  },
  claims: {
    name: 'claims',
    columns: ['text'],
    why: 'Which virtual machines are lent to a run, and how they were found.',
    sources: [file],
    text: String.raw`${pathFunction}
$d=Gc-Path "$env:ProgramData\guestcert\claims"
if([IO.Directory]::Exists($d)){foreach($f in [IO.Directory]::GetFiles($d,'gc-*.json')){@{text=[IO.File]::ReadAllText($f)}}}`,
  },
  writeClaim: {
    name: 'write-claim',
    columns: [],
    why: 'Writes one down, whole or not at all.',
    sources: [file],
    text: String.raw`param($name,$text)
${pathFunction}
$d=Gc-Path "$env:ProgramData\guestcert\claims"
[void][IO.Directory]::CreateDirectory($d)
$f=[IO.Path]::Combine($d,"$name.json")
[IO.File]::WriteAllText("$f.new",$text)
if([IO.File]::Exists($f)){[IO.File]::Replace("$f.new",$f,[NullString]::Value)}else{[IO.File]::Move("$f.new",$f)}`,
  },
  removeClaim: {
    name: 'remove-claim',
    columns: [],
    why: 'Removes it once the machine is given back.',
    sources: [file],
    text: String.raw`param($name)
${pathFunction}
$f=Gc-Path "$env:ProgramData\guestcert\claims\$name.json"
if([IO.Directory]::Exists([IO.Path]::GetDirectoryName($f))){[IO.File]::Delete($f);[IO.File]::Delete("$f.new")}`,
  },
} as const satisfies Readonly<Record<string, HostText>>
