import t from 'tap'
import { UnknownOutput } from '../shared/unknown-output.js'
import { at, parseDump } from './dump.js'
import {
  addressesIn,
  parseFields,
  parseHost,
  parseMachines,
  parseQuestion,
  parseSnapshots,
  parseSummary,
  parseTable,
  parseTask,
  parseTasks,
  parseWorlds,
} from './output.js'
import { faultOf, isUnreached, refusalOf } from './words.js'

// VCL: apache/vcl, VIM_SSH.pm, whose comments quote ESX(i) 4 to 6.5. JKL: J. Klimov's backend for vsphere-cloud-plugin
// (index files 70083641225 and 70493368529), with the output of ESXi 7 and 8.

t.test('machines, whatever their annotations say', t => {
  // JKL, ESXi 8.
  const modern = `Vmid   Name          File              Guest OS       Version   Annotation
1      x8     [pve-esx] x8/x8.vmx   centos9_64Guest   vmx-20
`
  t.strictSame(parseMachines(modern), [{ id: '1', name: 'x8', datastore: 'pve-esx', file: 'x8/x8.vmx' }])
  // Index file 29168480077: an annotation of two lines.
  const annotated = `Vmid     Name                    File                     Guest OS       Version         Annotation
2      xx         [datastore1] xx/xx.vmx               rhel8_64Guest     vmx-14
3      makemake   [datastore1] makemake/makemake.vmx   centos8_64Guest   vmx-14    Rocky linux 8
autostart
`
  t.strictSame(
    parseMachines(annotated).map(({ id, file }) => `${id} ${file}`),
    ['2 xx/xx.vmx', '3 makemake/makemake.vmx'],
  )
  // As VCL warns: names have brackets and colons, and a line of an annotation may begin with a number.
  const odd = `Vmid   Name   File   Guest OS   Version   Annotation
496    vmwarewinxp-base234-v12 [lab]: old   [nfs vol 1] base/a b.vmx   winXPProGuest   vmx-07   first
2 of them are left
Skipping invalid VM '12'
`
  t.strictSame(parseMachines(odd), [
    { id: '496', name: 'vmwarewinxp-base234-v12 [lab]: old', datastore: 'nfs vol 1', file: 'base/a b.vmx' },
  ])
  t.strictSame(parseMachines('Vmid   Name   File   Guest OS   Version   Annotation\n'), [])
  t.throws(() => parseMachines('Failed to login: Connection reset by peer\n'), UnknownOutput)
  t.end()
})

t.test('what runs', t => {
  // Index file 49905498991.
  const block = `Gitlab
   World ID: 2099532
   Process ID: 0
   VMX Cartel ID: 2099517
   UUID: 56 4d 48 08 86 8b 8f 67-a5 4a 33 f3 87 a8 d0 59
   Display Name: Gitlab
   Config File: /vmfs/volumes/6107a9c3-0511c860-9122-fcaa144d4e7d/Gitlab/Gitlab.vmx
`
  const config = '/vmfs/volumes/6107a9c3-0511c860-9122-fcaa144d4e7d/Gitlab/Gitlab.vmx'
  const world = { id: '2099532', config }
  t.strictSame(parseWorlds(block), [world])
  const two = `${block}\n${block.replaceAll('Gitlab', 'other').replace('2099532', '7')}`
  t.strictSame(parseWorlds(two), [world, { id: '7', config: config.replaceAll('Gitlab', 'other') }])
  t.strictSame(parseWorlds(''), [])
  t.end()
})

t.test('a summary: its state, and whether it asks', t => {
  const text = (state: string, question: string): string => `Listsummary:

(vim.vm.Summary) {
   dynamicType = <unset>,
   vm = 'vim.VirtualMachine:496',
   runtime = (vim.vm.RuntimeInfo) {
      dynamicType = <unset>,
      powerState = "${state}",
      bootTime = <unset>,
      question = ${question},
   },
   guest = (vim.vm.Summary.GuestSummary) {
      toolsStatus = "toolsOld",
      ipAddress = "152.46.16.235",
   },
   config = (vim.vm.Summary.ConfigSummary) {
      name = "a "quoted" name",
      vmPathName = "[nfs] vm/vm.vmx",
      annotation = "one
      powerState = no state
two",
      memorySizeMB = 2048,
      numCpu = 1,
   },
}
`
  // The fields are VCL's, in the form that ESX 4 to 6.0 gives them.
  const none = '(vim.vm.QuestionInfo) null'
  t.strictSame(parseSummary(text('poweredOn', none)), {
    path: '[nfs] vm/vm.vmx',
    power: 'on',
    said: 'poweredOn',
    asks: false,
  })
  t.match(parseSummary(text('suspended', none)), { power: 'paused' })
  const asked = '(vim.vm.QuestionInfo) {\n         id = "1",\n         text = "why",\n      }'
  t.match(parseSummary(text('poweredOff', asked)), { power: 'off', asks: true })
  t.equal(at(parseDump(text('poweredOn', none)), 'config', 'name'), 'a "quoted" name')
  t.throws(() => parseSummary(text('melting', none)), UnknownOutput)
  t.throws(() => parseSummary(text('poweredOn', none).slice(0, -20)), UnknownOutput, 'cut short')
  t.equal(parseQuestion('No message.\n'), null)
  t.equal(
    parseQuestion('Virtual machine message 123:\nmsg.uuid.altered:moved or copied?\n   2. I copied it\n'),
    'Virtual machine message 123: msg.uuid.altered:moved or copied? 2. I copied it',
  )
  t.end()
})

t.test('addresses that can be reached, IPv4 first', t => {
  // JKL, ESXi 8: a guest without tools.
  const bare = `Guest information:

(vim.vm.GuestInfo) {
   toolsStatus = "toolsNotInstalled",
   toolsRunningStatus = "guestToolsNotRunning",
   ipAddress = <unset>,
   net = <unset>,
   guestState = "running",
   hwVersion = "vmx-20"
}
`
  t.strictSame(addressesIn(bare), [])
  const net = (list: string): string => `(vim.vm.GuestInfo.NicInfo) [
      (vim.vm.GuestInfo.NicInfo) {
         network = "VM Network",
         ipAddress = ${list},
         macAddress = "00:0c:29:01:02:03",
         deviceConfigId = 4000
      }
   ]`
  const lines = `(string) [
            "fe80::20c:29ff:fe01:203",
            "2001:db8::5",
            "169.254.3.4",
            "10.1.2.4"
         ]`
  for (const list of [lines, '(string) [ "fe80::1", "2001:db8::5", "10.1.2.4" ]']) {
    const tools = bare.replace('ipAddress = <unset>', 'ipAddress = "10.1.2.3"')
    t.strictSame(addressesIn(tools.replace('net = <unset>', `net = ${net(list)}`)), [
      '10.1.2.3',
      '10.1.2.4',
      '2001:db8::5',
    ])
  }
  t.strictSame(addressesIn(bare.replace('ipAddress = <unset>', 'ipAddress = "$(reboot)"')), [])
  t.end()
})

t.test('the tree of snapshots', t => {
  // JKL, ESXi 7.
  const text = `Get Snapshot:
|-ROOT
--Snapshot Name        : snap1
--Snapshot Id        : 1
--Snapshot Desciption  : Shapshot #1
--Snapshot Created On  : 10/4/2026 19:0:52
--Snapshot State       : powered off
--|-CHILD
----Snapshot Name        : Corelinux running
----Snapshot Id        : 2
----Snapshot Desciption  : 
a second line
----Snapshot Created On  : 10/4/2026 19:22:55
----Snapshot State       : powered on
`
  t.strictSame(parseSnapshots(text), [
    { id: '1', name: 'snap1', madeAt: '10/4/2026 19:0:52' },
    { id: '2', name: 'Corelinux running', madeAt: '10/4/2026 19:22:55' },
  ])
  t.strictSame(parseSnapshots('Get Snapshot:\n'), [])
  // ESX 4 gives no ids: nothing can be done with such.
  t.throws(() => parseSnapshots(text.replace(/^.*Snapshot Id.*\n/gm, '')), UnknownOutput)
  t.throws(() => parseSnapshots('(vim.fault.NotFound) {\n}\n'), UnknownOutput)
  t.end()
})

t.test('tasks, and what they fail with', t => {
  // VCL.
  const list = "(ManagedObjectReference) [\n   'vim.Task:haTask-512-vim.VirtualMachine.powerOn-2826',\n]\n"
  t.strictSame(parseTasks(list), ['haTask-512-vim.VirtualMachine.powerOn-2826'])
  t.strictSame(parseTasks('(ManagedObjectReference) []\n'), [])
  const task = (state: string, error: string): string =>
    `(vim.TaskInfo) {\n   dynamicType = <unset>,\n   state = "${state}",\n   error = ${error},\n   progress = 100,\n}\n`
  t.strictSame(parseTask(task('success', '(vmodl.MethodFault) null')), { state: 'success', why: null })
  const canceled =
    '(vmodl.fault.RequestCanceled) {\n      dynamicType = <unset>,\n      faultCause = (vmodl.MethodFault) null,\n      msg = "The task was canceled by a user.",\n   }'
  t.strictSame(parseTask(task('error', canceled)), {
    state: 'error',
    why: 'The task was canceled by a user.',
  })
  t.equal(faultOf({ code: 0, text: task('error', canceled) }), null, 'to tell of a fault is none')
  t.end()
})

t.test('a fault is printed, whatever the exit status', t => {
  // VCL, ESX 4; JKL, ESXi 8, whose quotes are not escaped.
  const old = `(vim.fault.InvalidPowerState) {
   dynamicType = <unset>,
   faultCause = (vmodl.MethodFault) null,
   requestedState = "poweredOn",
   existingState = "poweredOn",
   msg = "The attempted operation cannot be performed in the current state (Powered On).",
}
`
  t.strictSame(faultOf({ code: 0, text: `Powering on VM:\n${old}` }), {
    name: 'vim.fault.InvalidPowerState',
    text: 'vim.fault.InvalidPowerState: The attempted operation cannot be performed in the current state (Powered On).',
  })
  const modern = `(vim.fault.NotFound) {
   faultCause = (vmodl.MethodFault) null,
   faultMessage = <unset>
   msg = "Unable to find a VM corresponding to "1""
}
`
  t.match(faultOf({ code: 0, text: modern }), { text: /corresponding to "1"$/ })
  t.match(faultOf({ code: 3, text: '' }), { text: /^status 3/ })
  t.equal(faultOf({ code: 0, text: 'Powering on VM:\n' }), null)
  // VCL: 6.0 and 6.5.
  for (const text of ['Powering on VM:\nPower on failed\n', 'Suspending VM:\nSuspend failed\n']) {
    t.match(refusalOf({ code: 0, text }), { text: /failed$/ })
    t.equal(faultOf({ code: 0, text }), null, 'a list may have such a line in an annotation')
  }
  t.match(refusalOf({ code: 0, text: 'Operation failed since another task is in progress.\n' }), {
    text: /another task/,
  })
  t.match(refusalOf({ code: 0, text: 'Failed to create virtual disk: x\n' }), { text: /virtual disk/ })
  for (const text of [
    'Failed to login: Connection reset by peer\n',
    'Failed to login: SSL Exception: Unexpected EOF\n',
    'Connect to localhost failed: Connection failure\n',
  ]) {
    t.ok(isUnreached({ code: 0, text }), text)
    t.not(faultOf({ code: 0, text }), null)
  }
  t.match(faultOf({ code: 0, text: "terminate called after throwing an instance of 'std::bad_alloc'\n" }), {
    text: /bad_alloc/,
  })
  t.match(faultOf({ code: 0, text: 'Killed\n' }), { text: 'Killed' })
  t.end()
})

t.test('what a host is', t => {
  // Index file 36953203018.
  const version =
    '   Product: VMware ESXi\n   Version: 7.0.2\n   Build: Releasebuild-17867351\n   Update: 2\n   Patch: 20\n'
  t.strictSame(
    [...parseFields(version)],
    [
      ['Product', 'VMware ESXi'],
      ['Version', '7.0.2'],
      ['Build', 'Releasebuild-17867351'],
      ['Update', '2'],
      ['Patch', '20'],
    ],
  )
  // VCL and JKL.
  const summary = `(vim.host.Summary) {
   hardware = (vim.host.Summary.HardwareSummary) {
      vendor = "IBM",
      model = "BladeCenter HS21 -[8853L6U]-",
      memorySize = 8589934592,
      cpuModel = "Intel(R) Xeon(R) CPU           E5440  @ 2.83GHz",
      cpuMhz = 2833,
      numCpuPkgs = 2,
      numCpuCores = 8,
      numCpuThreads = 8,
   },
   runtime = (vim.host.RuntimeInfo) {
      inMaintenanceMode = false,
   },
   quickStats = (vim.host.Summary.QuickStats) {
      overallCpuUsage = 100,
      overallMemoryUsage = 1024,
      uptime = 86400,
   },
}
`
  t.strictSame(parseHost(summary), {
    machine: 'IBM BladeCenter HS21 -[8853L6U]-',
    cpu: 'Intel(R) Xeon(R) CPU E5440 @ 2.83GHz',
    cpus: 8,
    memoryBytes: 8_589_934_592,
    freeBytes: 7_516_192_768,
    inMaintenance: false,
  })
  t.match(parseHost(summary.replace('Mode = false', 'Mode = true')), { inMaintenance: true })
  // The form is that of VCL and Packer (driver_esx5.go): names without blanks, each line ends with a comma.
  const table =
    'MountPoint,VolumeName,UUID,Mounted,Type,Size,Free,\n/vmfs/volumes/4bcf,"a, b",4bcf,true,VMFS-5,100,50,\n,,5c1d,false,NFS,0,0,\n'
  t.match(
    parseTable(table).map(row => [row.get('VolumeName'), row.get('Mounted'), row.get('Free')]),
    [
      ['a, b', 'true', '50'],
      ['', 'false', '0'],
    ],
  )
  t.end()
})
