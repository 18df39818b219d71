import t, { type Test } from 'tap'
import { withoutPwsh } from '../../remote/shells/windows/pwsh.test.fixture.js'
import { carryOutEverything } from './everything.test.fixture.js'
import { type PowerShellSubject, startPowerShellHost } from './powershell-host.test.fixture.js'
import { hyperVTexts } from './texts/index.js'

/** Each text with another verb, without a flag, or with the wrong machine is found out by what the contract does. */
t.setTimeout(1_200_000)

/** What is changed in a text: the first occurrence of one word by another. */
const mutations: readonly (readonly [text: string, from: string, to: string])[] = [
  ['facts', 'Hyper-V\\Get-VMHost', 'Hyper-V\\Get-VM'],
  ['list', 'Hyper-V\\Get-VM|', 'Hyper-V\\Get-VM -Name rhel*|'],
  ['list', 'name=$_.Name', 'name=$_.Id'],
  ['image', 'Get-VHD', 'Test-VHD'],
  ['image', '-Path $path', '-Path $c'],
  ['make-disk', ' -ParentPath $from -Differencing', ' -SizeBytes 1GB -Fixed:$false'],
  ['make-disk', 'New-VHD -Path $path', 'New-VHD -Path $from'],
  ['remove-folder', '$true', '$false'],
  ['remove-folder', '[IO.Directory]::Exists', '[IO.File]::Exists'],
  ['look', 'Get-VM -Id $vm', 'Get-VM -Id ([guid]::Empty)'],
  ['look', '$_.MacAddress', '$_.Name'],
  ['look', '$v.MemoryAssigned', '0'],
  ['state', '-Id $vm', '-Name rhel9'],
  ['clone', '$new.Generation=$t.Generation', '$new.Generation=1'],
  ['clone', 'ProcessorCount=$t.ProcessorCount;', ''],
  ['clone', 'NoVHD=$true', 'SwitchName="lab"'],
  ['clone', "CheckpointType='Standard'", "CheckpointType='Production'"],
  ['clone', '$a.SwitchName=$_.SwitchName', '$a.Name="x"'],
  ['clone', 'Remove-VMNetworkAdapter', 'Get-VMNetworkAdapter'],
  ['clone', 'EnableSecureBoot="$($f.SecureBoot)"', 'EnableSecureBoot="On"'],
  ['clone', '-ControllerLocation $location', '-ControllerLocation 7'],
  ['start', 'Start-VM', 'Resume-VM'],
  ['start', '-VM $v', '-VM (Hyper-V\\Get-VM -Name rhel9)'],
  ['shutdown', 'Force=$true;', ''],
  ['shutdown', 'InitiateShutdown', 'InitiateReboot'],
  ['shutdown', "SystemName='$vm'", "SystemName='x'"],
  ['turn-off', ' -TurnOff', ''],
  ['turn-off', 'Stop-VM', 'Suspend-VM'],
  ['reset', '[uint16]11', '[uint16]3'],
  ['reset', "Name='$vm'", "Name='x'"],
  ['suspend', 'Suspend-VM', 'Start-VM'],
  ['resume', 'Resume-VM', 'Start-VM'],
  ['checkpoint', ' -SnapshotName $name', ''],
  ['checkpoint', 'Checkpoint-VM', 'Start-VM'],
  ['restore', ' -Confirm:$false', ''],
  ['restore', 'Restore-VMSnapshot', 'Remove-VMSnapshot'],
  ['remove-snapshot', '-eq $snapshot', '-ne $snapshot'],
  ['remove-snapshot', '{Hyper-V\\Remove-VMSnapshot', '{[void]'],
  ['attach-disk', ' -Dynamic', ' -Differencing'],
  ['attach-disk', '-ControllerType SCSI', '-ControllerType IDE'],
  ['detach-disk', '$location|', '9|'],
  ['detach-disk', 'Remove-VMHardDiskDrive', 'Get-VMHardDiskDrive'],
  ['attach-nic', 'StaticMacAddress=$mac', 'DynamicMacAddress=$true'],
  ['detach-nic', '-eq $mac', '-ne $mac'],
  ['memory', '-StartupBytes', '-MaximumBytes'],
  ['nmi', ' -InjectNonMaskableInterrupt', ''],
  ['screenshot', "VirtualSystemIdentifier='$vm'", "VirtualSystemIdentifier='x'"],
  ['screenshot', '$s[0]', '$m[0]'],
  ['addresses', '$_.MacAddress', '$_.Name'],
  ['remove', 'Remove-VM -VM', 'Stop-VM -TurnOff -VM'],
]

t.test('a text that was changed fails', { skip: withoutPwsh }, async t => {
  const subject = await startPowerShellHost(t)
  await t.resolves(carryOutEverything(subject), 'unchanged, all is well')
  for (const [name, from, to] of mutations) {
    await one(t, subject, name, from, to)
  }
  const mutated = new Set(mutations.map(([name]) => name))
  const others = hyperVTexts.flatMap(({ name }) => (mutated.has(name) ? [] : [name]))
  t.strictSame(
    others.sort(),
    ['claims', 'exists', 'folders', 'lease', 'notes', 'remove-claim', 'space', 'write-claim'],
    'the others have tests of their own',
  )
})

async function one(
  t: Test,
  subject: PowerShellSubject,
  name: string,
  from: string,
  to: string,
): Promise<void> {
  const { text = '' } = hyperVTexts.find(one => one.name === name) ?? {}
  t.ok(text.includes(from), `${name} has ${from}`)
  subject.reset()
  subject.mutate(sent => (sent === text ? sent.replace(from, () => to) : sent))
  await t.rejects(carryOutEverything(subject), `${name}: ${from} as ${to || 'nothing'}`)
}
