import { cmdlet, type HostText, wmiClass } from './text.js'

const find = String.raw`$v=Hyper-V\Get-VM -Id $vm`

/** What is asked of one virtual machine, by its identifier. */
export const vmTexts = {
  look: {
    name: 'look',
    columns: [
      ...['id', 'name', 'state', 'generation', 'clustered', 'cpus', 'startup', 'assigned', 'dynamic'],
      ...['secureBoot', 'disks', 'nics', 'snapshots', 'notes'],
    ],
    why: 'One virtual machine with all that it has. A disk is its controller, number, location and path; a card its MAC address, switch and kind; a checkpoint its identifier and name.',
    sources: [
      cmdlet('Get-VM'),
      cmdlet('Get-VMHardDiskDrive'),
      cmdlet('Get-VMNetworkAdapter'),
      cmdlet('Get-VMSnapshot'),
      cmdlet('Get-VMFirmware'),
    ],
    text: String.raw`param($vm)
${find}
$t=[string][char]9
$g=1
if($v.Generation){$g=$v.Generation}
$b=$null
if($g -eq 2){$b="$((Hyper-V\Get-VMFirmware -VM $v).SecureBoot)"}
@{id="$($v.Id)";name=$v.Name;state="$($v.State)";generation=$g;clustered=$v.IsClustered;cpus=$v.ProcessorCount
startup=$v.MemoryStartup;assigned=$v.MemoryAssigned;dynamic=$v.DynamicMemoryEnabled;secureBoot=$b;notes=$v.Notes
disks=@(Hyper-V\Get-VMHardDiskDrive -VM $v|ForEach-Object{[string]::Join($t,@("$($_.ControllerType)","$($_.ControllerNumber)","$($_.ControllerLocation)","$($_.Path)"))})
nics=@(Hyper-V\Get-VMNetworkAdapter -VM $v|ForEach-Object{[string]::Join($t,@("$($_.MacAddress)","$($_.SwitchName)","$($_.IsLegacy)"))})
snapshots=@(Hyper-V\Get-VMSnapshot -VM $v|ForEach-Object{[string]::Join($t,@("$($_.Id)",$_.Name))})}`,
  },
  state: {
    name: 'state',
    columns: ['id', 'name', 'state'],
    why: 'What one virtual machine does.',
    sources: [cmdlet('Get-VM'), 'https://github.com/taliesins/terraform-provider-hyperv'],
    text: `param($vm)
${find}
@{id="$($v.Id)";name=$v.Name;state="$($v.State)"}`,
  },
  clone: {
    name: 'clone',
    columns: ['id'],
    why: 'Makes a virtual machine after another: generation, processors, memory, cards and firmware; its disks were made before. Its memory is static, and its checkpoints hold memory and are made when they are asked for.',
    sources: [
      cmdlet('New-VM'),
      cmdlet('Set-VM'),
      cmdlet('Add-VMNetworkAdapter'),
      cmdlet('Add-VMHardDiskDrive'),
      cmdlet('Set-VMFirmware'),
    ],
    text: String.raw`param($vm,$name,$folder,$notes,$disks,$keep)
$t=Hyper-V\Get-VM -Id $vm
$new=@{Name=$name;Path=$folder;MemoryStartupBytes=$t.MemoryStartup;NoVHD=$true}
if($t.Generation){$new.Generation=$t.Generation}
$v=Hyper-V\New-VM @new
$set=@{VM=$v;Notes=$notes;ProcessorCount=$t.ProcessorCount;StaticMemory=$true;AutomaticStartAction='Nothing';AutomaticStopAction='TurnOff'}
$has=(Get-Command Hyper-V\Set-VM).Parameters
if($has.ContainsKey('CheckpointType')){$set.CheckpointType='Standard'}
if($has.ContainsKey('AutomaticCheckpointsEnabled')){$set.AutomaticCheckpointsEnabled=$false}
Hyper-V\Set-VM @set
Hyper-V\Get-VMNetworkAdapter -VM $v|ForEach-Object{Hyper-V\Remove-VMNetworkAdapter -VMNetworkAdapter $_}
Hyper-V\Get-VMNetworkAdapter -VM $t|ForEach-Object{
$a=@{VM=$v;Name=$_.Name}
if($_.SwitchName){$a.SwitchName=$_.SwitchName}
if($_.IsLegacy){$a.IsLegacy=$true}
if($keep){$a.StaticMacAddress=$_.MacAddress}
Hyper-V\Add-VMNetworkAdapter @a}
if(!@(Hyper-V\Get-VMScsiController -VM $v).Count){Hyper-V\Add-VMScsiController -VM $v}
foreach($l in $disks.Split([char]10)){
$type,$number,$location,$path=$l.Split([char]9)
while($type -eq 'SCSI' -and @(Hyper-V\Get-VMScsiController -VM $v).Count -le [int]$number){Hyper-V\Add-VMScsiController -VM $v}
Hyper-V\Add-VMHardDiskDrive -VM $v -ControllerType $type -ControllerNumber $number -ControllerLocation $location -Path $path}
if($t.Generation -eq 2){
$f=Hyper-V\Get-VMFirmware -VM $t
$w=@{VM=$v;EnableSecureBoot="$($f.SecureBoot)";FirstBootDevice=@(Hyper-V\Get-VMHardDiskDrive -VM $v)[0]}
if($f.SecureBootTemplate){$w.SecureBootTemplate=$f.SecureBootTemplate}
Hyper-V\Set-VMFirmware @w}
@{id="$($v.Id)"}`,
  },
  notes: {
    name: 'notes',
    columns: [],
    why: 'Marks an instance as left on purpose.',
    sources: [cmdlet('Set-VM')],
    text: String.raw`param($vm,$notes)
${find}
Hyper-V\Set-VM -VM $v -Notes $notes`,
  },
  start: {
    name: 'start',
    columns: [],
    why: 'Starts it; one that was saved goes on.',
    sources: [cmdlet('Start-VM')],
    text: String.raw`param($vm)
${find}
Hyper-V\Start-VM -VM $v`,
  },
  shutdown: {
    name: 'shutdown',
    columns: ['code'],
    why: 'Asks the guest to shut down, and does not wait: Stop-VM would, would end the guest by force after five minutes, and would be undone with its session.',
    sources: [wmiClass('Msvm_ShutdownComponent'), 'https://github.com/kubev2v/forklift/pull/8407'],
    text: String.raw`param($vm)
$c=@(CimCmdlets\Get-CimInstance -Namespace root\virtualization\v2 -ClassName Msvm_ShutdownComponent -Filter "SystemName='$vm'")
if(!$c.Count){@{code='none'}}
else{@{code=(CimCmdlets\Invoke-CimMethod -InputObject $c[0] -MethodName InitiateShutdown -Arguments @{Force=$true;Reason='guestcert'}).ReturnValue}}`,
  },
  turnOff: {
    name: 'turn-off',
    columns: [],
    why: 'Ends it as a power failure does; of one that is saved, the memory is dropped.',
    sources: [cmdlet('Stop-VM'), cmdlet('Remove-VMSavedState')],
    text: String.raw`param($vm)
${find}
if("$($v.State)" -match 'Saved'){Hyper-V\Remove-VMSavedState -VM $v}
else{Hyper-V\Stop-VM -VM $v -TurnOff -Force -Confirm:$false}`,
  },
  reset: {
    name: 'reset',
    columns: ['code'],
    why: 'Presses its reset button: Restart-VM would end it and start it.',
    sources: [wmiClass('RequestStateChange-Msvm_ComputerSystem')],
    text: String.raw`param($vm)
$c=@(CimCmdlets\Get-CimInstance -Namespace root\virtualization\v2 -ClassName Msvm_ComputerSystem -Filter "Name='$vm'")
@{code=(CimCmdlets\Invoke-CimMethod -InputObject $c[0] -MethodName RequestStateChange -Arguments @{RequestedState=[uint16]11}).ReturnValue}`,
  },
  suspend: {
    name: 'suspend',
    columns: [],
    why: 'Pauses it; its memory stays.',
    sources: [cmdlet('Suspend-VM')],
    text: String.raw`param($vm)
${find}
Hyper-V\Suspend-VM -VM $v`,
  },
  resume: {
    name: 'resume',
    columns: [],
    why: 'Lets it go on.',
    sources: [cmdlet('Resume-VM')],
    text: String.raw`param($vm)
${find}
Hyper-V\Resume-VM -VM $v`,
  },
  checkpoint: {
    name: 'checkpoint',
    columns: [],
    why: 'Makes a checkpoint with memory, as the clone is set to.',
    sources: [cmdlet('Checkpoint-VM')],
    text: String.raw`param($vm,$name)
${find}
Hyper-V\Checkpoint-VM -VM $v -SnapshotName $name`,
  },
  restore: {
    name: 'restore',
    columns: [],
    why: 'Goes back to a checkpoint; without -Confirm:$false it asks. Its state afterwards is looked at.',
    sources: [cmdlet('Restore-VMSnapshot')],
    text: String.raw`param($vm,$snapshot)
${find}
$s=@(Hyper-V\Get-VMSnapshot -VM $v|Where-Object{"$($_.Id)" -eq $snapshot})
Hyper-V\Restore-VMSnapshot -VMSnapshot $s[0] -Confirm:$false`,
  },
  removeSnapshot: {
    name: 'remove-snapshot',
    columns: [],
    why: 'Deletes a checkpoint. Its disks are merged afterwards.',
    sources: [cmdlet('Remove-VMSnapshot')],
    text: String.raw`param($vm,$snapshot)
${find}
$s=@(Hyper-V\Get-VMSnapshot -VM $v|Where-Object{"$($_.Id)" -eq $snapshot})
if($s.Count){Hyper-V\Remove-VMSnapshot -VMSnapshot $s[0] -Confirm:$false}`,
  },
  attachDisk: {
    name: 'attach-disk',
    columns: ['number', 'location'],
    why: 'Adds an empty disk to a machine that runs: on SCSI alone.',
    sources: [cmdlet('New-VHD'), cmdlet('Add-VMHardDiskDrive')],
    text: String.raw`param($vm,$path,$bytes)
${find}
[void](Hyper-V\New-VHD -Path $path -SizeBytes ([uint64]$bytes) -Dynamic)
Hyper-V\Add-VMHardDiskDrive -VM $v -ControllerType SCSI -Path $path
Hyper-V\Get-VMHardDiskDrive -VM $v|Where-Object{$_.Path -eq $path}|ForEach-Object{@{number=$_.ControllerNumber;location=$_.ControllerLocation}}`,
  },
  detachDisk: {
    name: 'detach-disk',
    columns: [],
    why: 'Takes a disk away, by where it is: a checkpoint gives it another path.',
    sources: [cmdlet('Remove-VMHardDiskDrive')],
    text: String.raw`param($vm,$number,$location)
${find}
Hyper-V\Get-VMHardDiskDrive -VM $v -ControllerType SCSI -ControllerNumber $number -ControllerLocation $location|ForEach-Object{Hyper-V\Remove-VMHardDiskDrive -VMHardDiskDrive $_}`,
  },
  attachNic: {
    name: 'attach-nic',
    columns: [],
    why: 'Adds a card to a machine of generation 2 that runs, on 2016 and later. Without an address of its own it would have none until the next start.',
    sources: [cmdlet('Add-VMNetworkAdapter')],
    text: String.raw`param($vm,$switch,$name,$mac)
${find}
$a=@{VM=$v;Name=$name;StaticMacAddress=$mac}
if($switch){$a.SwitchName=$switch}
Hyper-V\Add-VMNetworkAdapter @a`,
  },
  detachNic: {
    name: 'detach-nic',
    columns: [],
    why: 'Takes it away.',
    sources: [cmdlet('Remove-VMNetworkAdapter')],
    text: String.raw`param($vm,$mac)
${find}
Hyper-V\Get-VMNetworkAdapter -VM $v|Where-Object{$_.MacAddress -eq $mac}|ForEach-Object{Hyper-V\Remove-VMNetworkAdapter -VMNetworkAdapter $_}`,
  },
  memory: {
    name: 'memory',
    columns: [],
    why: 'Gives it so much memory while it runs, on 2016 and later, where its memory is static.',
    sources: [cmdlet('Set-VMMemory')],
    text: String.raw`param($vm,$bytes)
${find}
Hyper-V\Set-VMMemory -VM $v -StartupBytes ([int64]$bytes)`,
  },
  nmi: {
    name: 'nmi',
    columns: [],
    why: 'Injects a non-maskable interrupt, on 2012 R2 and later.',
    sources: [cmdlet('Debug-VM')],
    text: String.raw`param($vm)
${find}
Hyper-V\Debug-VM -VM $v -InjectNonMaskableInterrupt -Force`,
  },
  screenshot: {
    name: 'screenshot',
    columns: ['code', 'width', 'height', 'image'],
    why: 'A picture of its screen: bytes of RGB565 in base64.',
    sources: [
      wmiClass('GetVirtualSystemThumbnailImage-Msvm_VirtualSystemManagementService'),
      wmiClass('Msvm_VideoHead'),
    ],
    text: String.raw`param($vm)
$n='root\virtualization\v2'
$h=@(CimCmdlets\Get-CimInstance -Namespace $n -ClassName Msvm_VideoHead -Filter "SystemName='$vm'")
$w=640
$l=480
if($h.Count -and $h[0].CurrentHorizontalResolution -and $h[0].CurrentVerticalResolution){$w=$h[0].CurrentHorizontalResolution;$l=$h[0].CurrentVerticalResolution}
$s=@(CimCmdlets\Get-CimInstance -Namespace $n -ClassName Msvm_VirtualSystemSettingData -Filter "VirtualSystemIdentifier='$vm' AND VirtualSystemType='Microsoft:Hyper-V:System:Realized'")
$m=@(CimCmdlets\Get-CimInstance -Namespace $n -ClassName Msvm_VirtualSystemManagementService)
$r=CimCmdlets\Invoke-CimMethod -InputObject $m[0] -MethodName GetVirtualSystemThumbnailImage -Arguments @{TargetSystem=$s[0];WidthPixels=[uint16]$w;HeightPixels=[uint16]$l}
@{code=$r.ReturnValue;width=$w;height=$l;image=[Convert]::ToBase64String([byte[]]$r.ImageData)}`,
  },
  addresses: {
    name: 'addresses',
    columns: ['mac', 'given', 'seen'],
    why: 'What its guest says of its addresses, and what the host has in its table of neighbours for its cards.',
    sources: [
      cmdlet('Get-VMNetworkAdapter'),
      'https://learn.microsoft.com/en-us/powershell/module/nettcpip/get-netneighbor',
    ],
    text: String.raw`param($vm)
${find}
Hyper-V\Get-VMNetworkAdapter -VM $v|ForEach-Object{
$m=$_.MacAddress
$seen=@(NetTCPIP\Get-NetNeighbor -LinkLayerAddress ($m -replace '..(?!$)','$0-') -ErrorAction SilentlyContinue|ForEach-Object{"$($_.IPAddress)"})
@{mac=$m;given=@($_.IPAddresses|ForEach-Object{"$_"});seen=$seen}}`,
  },
  remove: {
    name: 'remove',
    columns: [],
    why: 'Removes a machine that is off; its disks stay, and its checkpoints are merged afterwards.',
    sources: [cmdlet('Remove-VM')],
    text: String.raw`param($vm)
${find}
Hyper-V\Remove-VM -VM $v -Force`,
  },
} as const satisfies Readonly<Record<string, HostText>>
