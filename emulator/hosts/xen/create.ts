import { fromText } from '../../files/bytes.js'
import { SystemError } from '../../files/errno.js'
import { absolute } from '../../files/tree.js'
import { Trouble } from '../trouble.js'
import { nameOf, type Vm } from '../vm.js'
import { ConfigMistake, readConfig } from './config.js'
import { detailsOf, writeJson } from './details.js'
import { type CardSpec, type DiskSpec, diskNumber } from './devices.js'
import { type Described, describe } from './domain.js'
import { dom0, Ended, type Session, say, tell, undone, type Verb, type XenHost } from './session.js'
import { usageOf } from './usage.js'
import { beginLog } from './watcher.js'

const create: Verb = {
  flags: 'vtTfN',
  words: '<ConfigFile> [options] [vars]',
  does: 'Create a domain from config file <filename>',
  about: `-c                      Connect to the console after the domain is created.
-d                      Enable debug messages.
-e                      Do not wait in the background for the death of the domain.
-F                      Run in foreground until death of the domain.
-f FILE, --defconfig=FILE
                     Use the given configuration file.
-h                      Print this help.
-n, --dryrun            Dry run - prints the resulting configuration
                         (deprecated in favour of global -N option).
-p                      Leave the domain paused after it is created.
-q, --quiet             Quiet.
-V, --vncviewer         Connect to the VNC display after the domain is created.
-A, --vncviewer-autopass
                        Pass VNC password to viewer via stdin.
--ignore-global-affinity-masks Ignore global masks in xl.conf.`,
  options: 'cdeFf:nhpqVA',
  long: { dryrun: 'n', quiet: 'q', defconfig: 'f', vncviewer: 'V', 'vncviewer-autopass': 'A' },
  least: 0,
  run: async session => {
    const { options, host } = session
    const [given, ...more] = session.words
    const file = options.get('f') ?? given
    if (more.length > 0) {
      await say(session, usageOf('create', create))
      return 2
    }
    if (file === undefined) throw new Ended(['Config file not specified and none in save file'], 6)
    const described = await readFile(session, file)
    if (options.has('n')) {
      await say(session, `${writeJson(detailsOf(described.xml, false))}\n`)
      return 0
    }
    demandMakeable(host, described)
    const vm = await start(host, described, options.has('p'))
    watch(session, vm)
    return 0
  },
}

async function readFile(session: Session, file: string): Promise<Described> {
  const { options } = session
  const text = textOf(session, file)
  if (!options.has('q')) await tell(session, [`Parsing config from ${file}`])
  try {
    const described = describe(readConfig(text, file))
    await tell(session, described.warnings)
    return described
  } catch (error) {
    throw error instanceof ConfigMistake ? new Ended(error.lines) : error
  }
}

function textOf({ call }: Session, file: string): string {
  const { tree } = call.system
  const path = absolute(call.process.cwd, fromText(file))
  if (tree.lookup(path, call.process)?.type === 'directory') {
    throw new Ended(
      [
        `libxl: error: libxl_utils.c:346:libxl_read_file_contents: ${file} is not a plain file: Success`,
        `Failed to read config file: ${file}: Inappropriate ioctl for device`,
      ],
      3,
    )
  }
  try {
    return Buffer.from(tree.read(path, call.process), 'latin1').toString()
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    throw new Ended([`Failed to read config file: ${file}: ${error.text}`], 3)
  }
}

/** A domain that cannot be made spends a number all the same. */
function cannot(host: XenHost, lines: (id: number) => readonly string[]): Ended {
  const id = host.hypervisor.spendId()
  return new Ended([...lines(id), ...undone(id)], 3)
}

function demandMakeable(host: XenHost, { name, disks, cards, kernel }: Described): void {
  demandFreeName(host, name)
  for (const [place, disk] of disks.entries()) {
    const missing = missingDisk(host, disk)
    if (missing !== undefined) {
      throw cannot(host, id => [
        missing,
        `libxl: error: libxl_create.c:1318:initiate_domain_create: Domain ${id}:Unable to set disk defaults for disk ${place}`,
      ])
    }
  }
  if (kernel !== undefined && !host.hypervisor.tree.lookup(fromText(kernel))) {
    throw cannot(host, id => [
      `xc: error: panic: xg_dom_core.c:205: failed to open file '${kernel}': No such file or directory: Internal error`,
      'libxl: error: libxl_dom.c:646:libxl__build_pv: xc_dom_kernel_file failed: No such file or directory',
      `libxl: error: libxl_create.c:1640:domcreate_rebuild_done: Domain ${id}:cannot (re-)build domain: -3`,
    ])
  }
  for (const { vdev } of disks.filter(disk => diskNumber(disk.vdev) === undefined)) {
    throw cannot(host, id => [
      `libxl: error: libxl_disk.c:214:libxl__device_from_disk: Domain ${id}:Invalid or unsupported virtual disk identifier ${vdev}`,
      `libxl: error: libxl_disk.c:335:device_disk_add: Domain ${id}:Invalid or unsupported virtual disk identifier ${vdev}`,
      `libxl: error: libxl_create.c:1672:domcreate_launch_dm: Domain ${id}:unable to add disk devices`,
    ])
  }
  for (const card of cards) {
    const missing = missingBridge(host, card)
    if (missing !== undefined) {
      throw cannot(host, id => [
        ...hotplugFailed(missing, 'online'),
        `libxl: error: libxl_create.c:1921:domcreate_attach_devices: Domain ${id}:unable to add vif devices`,
        ...hotplugFailed(missing, 'offline'),
      ])
    }
  }
}

/** Throws Ended where a domain of that name runs. */
export function demandFreeName(host: XenHost, name: string, code = 3): void {
  const isTaken = name === dom0 || host.hypervisor.list().some(vm => vm.running && nameOf(vm) === name)
  if (!isTaken) return
  const id = host.hypervisor.spendId()
  throw new Ended(
    [
      `libxl: error: libxl_domain.c:81:libxl__domain_rename: Domain ${id}:Domain with name "${name}" already exists.`,
      `libxl: error: libxl_create.c:1296:initiate_domain_create: Domain ${id}:cannot make domain: -6`,
      ...undone(id),
    ],
    code,
  )
}

/** What libxl says of a disk whose file is not there. */
export function missingDisk({ hypervisor }: XenHost, { target, vdev }: DiskSpec): string | undefined {
  if (target === '' || hypervisor.tree.lookup(fromText(target))) return undefined
  return `libxl: error: libxl_device.c:455:libxl__device_disk_set_backend: Disk vdev=${vdev} failed to stat: ${target}: No such file or directory`
}

/** The bridge of a card, where the host has none of that name. */
export function missingBridge({ persona }: XenHost, { bridge }: CardSpec): string | undefined {
  return bridge === undefined || bridge === persona.network.name ? undefined : bridge
}

/** What the script says that is to put a card into a bridge that there is not. */
export function hotplugFailed(bridge: string, when: 'online' | 'offline'): string[] {
  return [
    `libxl: error: libxl_exec.c:117:libxl_report_child_exitstatus: /etc/xen/scripts/vif-bridge ${when} [${hotplugPid}] exited with error status 1`,
    `libxl: error: libxl_device.c:1337:device_hotplug_child_death_cb: script: Could not find bridge device ${bridge}`,
  ]
}

/** Nobody can see the process by then. */
const hotplugPid = 727

async function start(host: XenHost, { xml }: Described, paused: boolean): Promise<Vm> {
  const { hypervisor } = host
  const vm = hypervisor.define(xml)
  try {
    await hypervisor.start(vm, { paused })
    return vm
  } catch (error) {
    if (!(error instanceof Trouble) || error.kind !== 'internal') throw error
    throw outOfMemory(host)
  } finally {
    // xl keeps no domain that does not run.
    hypervisor.undefine(vm)
  }
}

function outOfMemory(host: XenHost): Ended {
  return cannot(host, id => [
    "xc: error: panic: xg_dom_boot.c:119: xc_dom_boot_mem_init: can't allocate low memory for domain: Out of memory",
    'libxl: error: libxl_dom.c:586:libxl__build_dom: xc_dom_boot_mem_init failed: Cannot allocate memory',
    `libxl: error: libxl_create.c:1640:domcreate_rebuild_done: Domain ${id}:cannot (re-)build domain: -3`,
  ])
}

/** Another xl stays behind, and writes down how the domain ends. */
export function watch({ call, host, options }: Session, vm: Vm): void {
  if (options.has('e') || !vm.running) return
  beginLog(host.hypervisor.tree, nameOf(vm), vm.running.id, call.process.pid)
}

export const createVerbs: Readonly<Record<string, Verb>> = { create }
