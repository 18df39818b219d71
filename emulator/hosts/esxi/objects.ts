import { uuidFrom } from '../domain.js'
import { neighbours } from '../network.js'
import { nameOf } from '../vm.js'
import { type DumpRecord, dumpText, nothing, unset } from './dump.js'
import type { Inventory, Machine, Task } from './inventory.js'

/** `vmsvc/getallvms`: an annotation goes on over as many lines as it has (index file 29168480077). */
export function listText(inventory: Inventory): string {
  const rows = inventory.machines.map(machine => [
    String(machine.id),
    inventory.nameOf(machine),
    inventory.fileOf(machine),
    'other3xLinux64Guest',
    'vmx-14',
    (inventory.settings(machine).get('annotation') ?? '').replaceAll('|0A', '\n'),
  ])
  const head = ['Vmid', 'Name', 'File', 'Guest OS', 'Version', 'Annotation']
  const widths = head.map((word, column) =>
    Math.max(word.length, ...rows.map(row => row[column]?.length ?? 0)),
  )
  return [head, ...rows]
    .map(
      row =>
        `${row.map((cell, column) => (column < 5 ? cell.padEnd(widths[column] ?? 0) : cell)).join('   ')}\n`,
    )
    .join('')
}

/** `vmsvc/get.summary`, with the fields of a log (VCL). */
export function summaryText(inventory: Inventory, machine: Machine): string {
  const { question, bootedAt } = machine
  const settings = inventory.settings(machine)
  const record: DumpRecord = {
    type: 'vim.vm.Summary',
    fields: {
      vm: { word: `'vim.VirtualMachine:${machine.id}'` },
      runtime: {
        type: 'vim.vm.RuntimeInfo',
        fields: {
          host: { word: "'vim.HostSystem:ha-host'" },
          connectionState: 'connected',
          powerState: inventory.powerOf(machine),
          bootTime: bootedAt === undefined ? unset : bootedAt.toISOString(),
          question:
            question === undefined
              ? nothing('vim.vm.QuestionInfo')
              : {
                  type: 'vim.vm.QuestionInfo',
                  fields: { id: String(question.id), text: question.text.replace(/\n[\s\S]*/, '') },
                },
        },
      },
      guest: {
        type: 'vim.vm.Summary.GuestSummary',
        fields: {
          toolsStatus: inventory.hasTools(machine) ? 'toolsOk' : 'toolsNotRunning',
          ipAddress: addressOf(inventory, machine)[0] ?? unset,
        },
      },
      config: {
        type: 'vim.vm.Summary.ConfigSummary',
        fields: {
          name: inventory.nameOf(machine),
          template: false,
          vmPathName: inventory.fileOf(machine),
          memorySizeMB: Number(settings.get('memsize')),
          numCpu: Number(settings.get('numvcpus')),
          uuid: uuidFrom(`vmx ${machine.path}`),
          annotation: (settings.get('annotation') ?? '').replaceAll('|0A', '\n'),
        },
      },
    },
  }
  return `Listsummary:\n\n${dumpText(record, inventory.isOld)}\n`
}

/** `vmsvc/get.guest`, of a log of ESXi 8 (JKL); with VMware Tools there are addresses. */
export function guestText(inventory: Inventory, machine: Machine): string {
  const isUp = inventory.hasTools(machine)
  const [ip] = addressOf(inventory, machine)
  const own = cardsOf(inventory, machine)
  inventory.addressLooks += isUp ? 1 : 0
  const isLate = inventory.addressLooks <= (inventory.faults.lateAddresses?.looks ?? 0)
  const cards = own.map(({ mac, address }, index) => ({
    type: 'vim.vm.GuestInfo.NicInfo',
    fields: {
      network: 'VM Network',
      ipAddress: { type: 'string', items: [address, 'fe80::250:56ff:fe01:1'] },
      macAddress: mac,
      connected: true,
      deviceConfigId: 4000 + index,
    },
  }))
  const knows = isUp && !isLate && ip !== undefined
  const record: DumpRecord = {
    type: 'vim.vm.GuestInfo',
    fields: {
      toolsStatus: isUp ? 'toolsOk' : 'toolsNotInstalled',
      toolsRunningStatus: isUp ? 'guestToolsRunning' : 'guestToolsNotRunning',
      ipAddress: knows ? ip : unset,
      net: knows ? { type: 'vim.vm.GuestInfo.NicInfo', items: cards } : unset,
      guestState: isUp ? 'running' : 'notRunning',
      hwVersion: 'vmx-14',
    },
  }
  return `Guest information:\n\n${dumpText(record, inventory.isOld)}\n`
}

function cardsOf({ hypervisor, persona }: Inventory, { vm }: Machine) {
  return neighbours(hypervisor, persona).filter(({ name }) => name === nameOf(vm))
}

function addressOf(inventory: Inventory, machine: Machine): string[] {
  return inventory.hasTools(machine) ? cardsOf(inventory, machine).map(({ address }) => address) : []
}

/** `vmsvc/get.tasklist`: the newest is last (VCL). */
export function tasksText({ isOld }: Inventory, { tasks }: Machine): string {
  const items = tasks.map(({ id }) => ({ word: `'vim.Task:${id}'` }))
  return `${dumpText({ type: 'ManagedObjectReference', items }, isOld)}\n`
}

/** `vimsvc/task_info` (VCL). */
export function taskText({ isOld }: Inventory, task: Task): string {
  const isRunning = task.looks > 0
  task.looks -= isRunning ? 1 : 0
  const { error } = task
  const state = isRunning ? 'running' : error === undefined ? 'success' : 'error'
  const record: DumpRecord = {
    type: 'vim.TaskInfo',
    fields: {
      key: task.id,
      state,
      cancelled: false,
      error:
        state !== 'error' || error === undefined
          ? nothing('vmodl.MethodFault')
          : {
              type: 'vmodl.fault.SystemError',
              fields: { faultCause: nothing('vmodl.MethodFault'), msg: error },
            },
      progress: state === 'success' ? 100 : unset,
    },
  }
  return `${dumpText(record, isOld)}\n`
}

/** `hostsvc/hostsummary` (VCL, JKL). */
export function hostText({ persona, hypervisor, isOld }: Inventory): string {
  const { node, esxi, cpu } = persona
  const cores = node.cells * node.sockets * node.cores
  const record: DumpRecord = {
    type: 'vim.host.Summary',
    fields: {
      host: { word: "'vim.HostSystem:ha-host'" },
      hardware: {
        type: 'vim.host.Summary.HardwareSummary',
        fields: {
          vendor: esxi.vendor,
          model: esxi.model,
          memorySize: node.memoryKiB * 1024,
          cpuModel: cpu.name,
          cpuMhz: node.mhz,
          numCpuPkgs: node.cells * node.sockets,
          numCpuCores: cores,
          numCpuThreads: cores * node.threads,
        },
      },
      runtime: {
        type: 'vim.host.RuntimeInfo',
        fields: { connectionState: 'connected', inMaintenanceMode: false },
      },
      config: {
        type: 'vim.host.Summary.ConfigSummary',
        fields: {
          product: {
            type: 'vim.AboutInfo',
            fields: {
              fullName: `VMware ESXi ${esxi.version} build-${esxi.build}`,
              version: esxi.version,
              build: esxi.build,
            },
          },
        },
      },
      quickStats: {
        type: 'vim.host.Summary.QuickStats',
        fields: {
          overallMemoryUsage: Math.round(hypervisor.load.now.memoryBytes / 2 ** 20) + 1500,
          uptime: 86_400,
        },
      },
    },
  }
  return `${dumpText(record, isOld)}\n`
}
