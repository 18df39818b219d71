import { type FakePool, type Fields, notInDatabase, remove, XeError } from './fake-pool.test.fixture.js'

/** What a command ended with. */
export interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

type Given = ReadonlyMap<string, string>
type Verb = (pool: FakePool, given: Given) => string

/**
 * Runs one xe command on a pool. Verbs, selectors and messages are those of xapi's cli_frontend.ml and
 * datamodel_errors.ml; whatever else is asked is refused.
 */
export function runXe(pool: FakePool, words: readonly string[]): Said {
  const [verb = '', ...rest] = words
  const given = new Map(
    rest.map(word => {
      const at = word.indexOf('=')
      return at < 0 ? [word, 'true'] : [word.slice(0, at), word.slice(at + 1)]
    }),
  )
  try {
    const command = verbs[verb]
    if (command === undefined) {
      throw new XeError(`Unknown command: ${verb}\nFor usage run: 'xe help'`)
    }
    return { code: 0, stdout: command(pool, given), stderr: '' }
  } catch (error) {
    if (error instanceof XeError) {
      return { code: 1, stdout: '', stderr: `${error.message}\n` }
    }
    throw error
  }
}

const verbs: Readonly<Record<string, Verb>> = {
  'host-list': (pool, given) => list(pool.hosts, given),
  'sr-list': (pool, given) => list(pool.srs, given),
  'vdi-list': (pool, given) => list(pool.vdis, given),
  'vbd-list': (pool, given) => {
    const name = (vbd: Fields) =>
      pool.vdis.find(vdi => vdi.uuid === vbd['vdi-uuid'])?.['name-label'] ?? notInDatabase
    return list(
      pool.vbds.map(vbd => ({ ...vbd, 'vdi-name-label': name(vbd) })),
      given,
    )
  },
  'vif-list': (pool, given) => list(pool.vifs, given),
  'vm-list': (pool, given) =>
    list(
      pool.vms.filter(vm => vm['is-a-template'] === 'false'),
      given,
    ),
  'template-list': (pool, given) =>
    list(
      pool.vms.filter(vm => vm['is-a-template'] === 'true' && vm['is-a-snapshot'] === 'false'),
      given,
    ),
  'snapshot-list': (pool, given) =>
    list(
      pool.vms.filter(vm => vm['is-a-snapshot'] === 'true'),
      given,
    ),
  'vm-param-get': (pool, given) => param(pool.vms, given),
  'vbd-param-get': (pool, given) => param(pool.vbds, given),
  'vif-param-get': (pool, given) => param(pool.vifs, given),
  'vbd-param-set': (pool, given) => {
    const vbd = one(pool.vbds, given)
    for (const [key, value] of given) {
      if (key !== 'uuid') vbd[key] = value
    }
    return ''
  },
  'vm-start': (pool, given) => start(pool, given, 'halted'),
  'vm-resume': (pool, given) => start(pool, given, 'suspended'),
  'vm-shutdown': (pool, given) => {
    const vm = one(pool.vms, given)
    const isForced = given.get('force') === 'true'
    expect(vm, isForced ? ['running', 'paused', 'suspended'] : ['running'])
    if (!isForced && pool.isDeaf) {
      throw new XeError(`VM didn't acknowledge the need to shutdown.\nvm: ${vm.uuid} (${vm['name-label']})`)
    }
    pool.halt(vm)
    return ''
  },
  'vm-pause': (pool, given) => become(pool, given, 'running', 'paused'),
  'vm-unpause': (pool, given) => become(pool, given, 'paused', 'running'),
  'vm-reboot': (pool, given) => {
    const vm = one(pool.vms, given)
    if (given.get('force') !== 'true') {
      throw new XeError(`You attempted an operation on a VM which lacks the feature.\nvm: ${vm.uuid}`)
    }
    expect(vm, ['running', 'paused'])
    vm['power-state'] = 'running'
    pool.newDomain(vm)
    return ''
  },
  'vm-vcpu-hotplug': (pool, given) => {
    const vm = one(pool.vms, given)
    expect(vm, ['running'])
    vm['VCPUs-number'] = demand(given, 'new-vcpus')
    return ''
  },
  'vm-memory-dynamic-range-set': (pool, given) => {
    const vm = one(pool.vms, given)
    const [min, max] = [demand(given, 'min'), demand(given, 'max')]
    // As in a log: a little less than was asked for.
    if (min === max) vm['memory-actual'] = String(Number(max) - 28_672)
    return ''
  },
  'vm-migrate': (pool, given) => {
    const vm = one(pool.vms, given)
    expect(vm, ['running'])
    if (given.get('live') !== 'true') throw new XeError('The VM would be down for as long as it takes')
    vm['resident-on'] = byId(pool.hosts, demand(given, 'host')).uuid ?? ''
    pool.newDomain(vm)
    return ''
  },
  'vm-checkpoint': (pool, given) => {
    const vm = one(pool.vms, given)
    expect(vm, ['running'])
    const snapshot = { 'is-a-template': 'true', 'is-a-snapshot': 'true', 'power-state': 'suspended' }
    const more = { ...snapshot, 'snapshot-of': vm.uuid ?? '' }
    return `${pool.copy(vm, demand(given, 'new-name-label'), more).uuid}\n`
  },
  'snapshot-revert': (pool, given) => {
    pool.revert(byId(pool.vms, demand(given, 'snapshot-uuid')))
    return ''
  },
  'snapshot-uninstall': (pool, given) => {
    const snapshot = byId(pool.vms, demand(given, 'snapshot-uuid'))
    if (snapshot['is-a-snapshot'] !== 'true') {
      throw new XeError('This operation can only be performed on a VM snapshot.')
    }
    return uninstall(pool, snapshot, given)
  },
  'vm-uninstall': (pool, given) => uninstall(pool, one(pool.vms, given), given),
  'template-uninstall': (pool, given) =>
    uninstall(pool, byId(pool.vms, demand(given, 'template-uuid')), given),
  'vm-clone': (pool, given) => {
    const vm = one(pool.vms, given)
    expect(vm, ['halted', 'suspended'])
    return `${pool.copy(vm, demand(given, 'new-name-label'), {}).uuid}\n`
  },
  'vm-install': (pool, given) => {
    const template = byId(pool.vms, demand(given, 'template-uuid'))
    if (template['is-a-template'] !== 'true') throw new XeError('Can only install from templates')
    const more = {
      'is-a-template': 'false',
      'is-a-snapshot': 'false',
      'snapshot-of': notInDatabase,
      'power-state': 'halted',
    }
    return `${pool.copy(template, demand(given, 'new-name-label'), more).uuid}\n`
  },
  'vdi-create': (pool, given) => {
    demand(given, 'virtual-size')
    demand(given, 'type')
    const sr = byId(pool.srs, demand(given, 'sr-uuid')).uuid ?? ''
    return `${pool.addVdi({ 'name-label': demand(given, 'name-label'), 'sr-uuid': sr }).uuid}\n`
  },
  'vdi-destroy': (pool, given) => {
    const { uuid = '' } = one(pool.vdis, given)
    if (pool.vbds.some(vbd => vbd['vdi-uuid'] === uuid && vbd['currently-attached'] === 'true')) {
      throw new XeError(
        `This operation cannot be performed because this VDI is in use by some other operation\nvdi: ${uuid}`,
      )
    }
    pool.destroyVdi(uuid)
    return ''
  },
  'vbd-create': (pool, given) => {
    const vm = byId(pool.vms, demand(given, 'vm-uuid'))
    const vdi = byId(pool.vdis, demand(given, 'vdi-uuid'))
    if (demand(given, 'device') !== 'autodetect') throw new XeError('The device name is invalid')
    return `${pool.addVbd(vm, vdi, { mode: given.get('mode') ?? 'RO' }).uuid}\n`
  },
  'vbd-plug': (pool, given) => plug(pool, one(pool.vbds, given), true),
  'vbd-unplug': (pool, given) => plug(pool, one(pool.vbds, given), false),
  'vbd-destroy': (pool, given) => drop(pool.vbds, given),
  'vif-create': (pool, given) => {
    const vm = byId(pool.vms, demand(given, 'vm-uuid'))
    if (demand(given, 'mac') !== 'random') throw new XeError('The MAC address specified is not valid.')
    const [device, network] = [demand(given, 'device'), demand(given, 'network-uuid')]
    if (!pool.networks.has(network)) throw new XeError(`The uuid you supplied was invalid.\nuuid: ${network}`)
    if (pool.vifs.some(vif => vif['vm-uuid'] === vm.uuid && vif.device === device)) {
      throw new XeError(`A device with the name given already exists on the selected VM\ndevice: ${device}`)
    }
    return `${pool.addVif(vm, network, { device }).uuid}\n`
  },
  'vif-plug': (pool, given) => plug(pool, one(pool.vifs, given), true),
  'vif-unplug': (pool, given) => plug(pool, one(pool.vifs, given), false),
  'vif-destroy': (pool, given) => drop(pool.vifs, given),
}

/** Without a selector a verb is for all objects, as xe's is. */
function one(all: readonly Fields[], given: Given): Fields {
  const uuid = given.get('uuid')
  if (uuid === undefined) {
    throw new XeError('Multiple matches VMs found. --multiple required to complete the operation')
  }
  return byId(all, uuid)
}

function byId(all: readonly Fields[], uuid: string): Fields {
  const found = all.find(each => each.uuid === uuid)
  if (found === undefined) throw new XeError(`The uuid you supplied was invalid.\ntype: \nuuid: ${uuid}`)
  return found
}

function param(all: readonly Fields[], given: Given): string {
  return `${one(all, given)[demand(given, 'param-name')] ?? notInDatabase}\n`
}

function demand(given: Given, name: string): string {
  const value = given.get(name)
  if (value === undefined || value === '') {
    throw new XeError(`Required parameter not found: ${name}\nFor usage run: 'xe help'`)
  }
  return value
}

function expect(vm: Fields, states: readonly string[]): void {
  if (!states.includes(vm['power-state'] ?? '')) {
    throw new XeError(
      `You attempted an operation on a VM that was not in an appropriate power state at the time; for example, you attempted to start a VM that was already running.  The parameters returned are the VM's handle, and the expected and actual VM state at the time of the call.\nvm: ${vm.uuid} (${vm['name-label']})\nexpected: ${states.join(', ')}\nactual: ${vm['power-state']}`,
    )
  }
}

function become(pool: FakePool, given: Given, from: string, to: string): string {
  const vm = one(pool.vms, given)
  expect(vm, [from])
  vm['power-state'] = to
  return ''
}

function start(pool: FakePool, given: Given, from: string): string {
  const vm = one(pool.vms, given)
  expect(vm, [from])
  pool.run(vm, byId(pool.hosts, demand(given, 'on')).uuid ?? '')
  return ''
}

function uninstall(pool: FakePool, vm: Fields, given: Given): string {
  // Without force it waits for a "yes" that nobody types.
  if (given.get('force') !== 'true') throw new XeError("Type 'yes' to continue")
  pool.destroyVm(vm)
  return `The following items are about to be destroyed\nVM : ${vm.uuid} (${vm['name-label']})\nAll objects destroyed\n`
}

function plug(pool: FakePool, device: Fields, isAttached: boolean): string {
  expect(byId(pool.vms, device['vm-uuid'] ?? ''), ['running'])
  if (!isAttached && pool.isDeaf) {
    throw new XeError(`The VM rejected the attempt to detach the device.\ntype: VBD\nref: ${device.uuid}`)
  }
  device['currently-attached'] = String(isAttached)
  return ''
}

function drop(all: Fields[], given: Given): string {
  const device = one(all, given)
  if (device['currently-attached'] === 'true') throw new XeError('The device is currently attached')
  remove(all, each => each === device)
  return ''
}

/** Records as `pp_record` of cli_printer.ml aligns them: to the longest name, an empty line after each. */
function list(all: readonly Fields[], given: Given): string {
  const names = (given.get('params') ?? 'uuid,name-label,name-description').split(',')
  const filters = [...given].filter(([key]) => key !== 'params')
  const found = all.filter(each => filters.every(([key, value]) => each[key] === value))
  const width = Math.max(...names.map(name => name.length))
  const line = (fields: Fields, name: string, index: number): string =>
    index === 0
      ? `${name} ( RO)${' '.repeat(Math.max(0, width - name.length + 4))}: ${fields[name]}`
      : `${' '.repeat(width - name.length + 4)}${name} ( RO): ${fields[name]}`
  return found
    .map(fields => {
      const known = names.filter(name => fields[name] !== undefined)
      return `${known.map((name, index) => line(fields, name, index)).join('\n')}\n\n\n`
    })
    .join('')
}
