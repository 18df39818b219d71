import { fromText } from '../../files/bytes.js'
import { SystemError } from '../../files/errno.js'
import { absolute } from '../../files/tree.js'
import { memoryKiB } from '../domain.js'
import type { Saved } from '../saving.js'
import { Trouble } from '../trouble.js'
import { at, text } from '../xml.js'
import { demandFreeName, watch } from './create.js'
import { detailsOf, writeJson } from './details.js'
import { Ended, first, type Session, tell, undone, type Verb } from './session.js'

const magic = 'Xen saved domain, xl format\n \0\r'
/** Saved domains are told apart by a word in their file, so that copies of it are copies of them. */
const mark = '\n#saved-'
const pageKiB = 4

const save: Verb = {
  flags: 'vtTf',
  words: '[options] <Domain> <CheckpointFile> [<ConfigFile>]',
  does: 'Save a domain state to restore later',
  about: `-h  Print this help.
-c  Leave domain running after creating the snapshot.
-p  Leave domain paused after creating the snapshot.
-D  Store the domain id in the configuration.`,
  options: 'cpD',
  least: 2,
  run: async session => {
    const { id, vm } = first(session)
    const { hypervisor, saved } = session.host
    const file = session.words[1] ?? ''
    if (!vm) {
      throw new Ended([
        `libxl: error: libxl_dom.c:1216:libxl__userdata_path: unable to find domain info for domain ${id}: No such file or directory`,
        'unable to retrieve domain configuration',
      ])
    }
    const { xml } = vm.running ?? {}
    const config = xml ? writeJson(detailsOf(xml, false)) : ''
    const word = `${saved.size + 1}`
    write(session, file, `${magic}${config}${mark}${word}\n`)
    await tell(session, [
      `Saving to ${file} new xl format (info 0x3/0x0/${config.length})`,
      `xc: info: Saving domain ${id}, type x86 ${xml && text(xml, 'os', 'type') === 'hvm' ? 'HVM' : 'PV'}`,
    ])
    if (vm.state === 'paused') throw notSuspended(id)
    await hypervisor.halt(vm, ms => session.call.process.sleep(ms))
    const state = hypervisor.save(vm)
    saved.set(word, state)
    const frames = (xml ? Number(at(xml, 'memory')?.attributes.made ?? memoryKiB(xml)) : 0) / pageKiB
    await tell(session, [
      `xc: progress: Frames: ${frames}/${frames}  100%`,
      'xc: progress: End of stream: 0/0    0%',
    ])
    if (session.options.has('c')) hypervisor.resume(vm)
    else if (!session.options.has('p')) hypervisor.hold(vm, state)
    return 0
  },
}

/** A guest that is paused cannot answer that it is ready. Xen waits a minute for it; the copy does not. */
function notSuspended(id: number): Ended {
  return new Ended([
    `libxl: error: libxl_dom_suspend.c:269:domain_suspend_common_pvcontrol_suspending: Domain ${id}:guest didn't acknowledge suspend, cancelling request`,
    'xc: error: Domain has not been suspended: shutdown 0, reason 255: Internal error',
    'xc: error: Save failed (0 = Success): Internal error',
    `libxl: error: libxl_stream_write.c:347:libxl__xc_domain_save_done: Domain ${id}:saving domain: domain did not respond to suspend request: Success`,
    'Failed to save domain, resuming domain',
    `xc: error: Dom ${id} not suspended: (shutdown 0, reason 255): Internal error`,
    `libxl: error: libxl_dom_suspend.c:666:domain_resume_done: Domain ${id}:xc_domain_resume failed: Invalid argument`,
  ])
}

/** The saved state is first written beside its file. */
function write({ call }: Session, file: string, content: string): void {
  const { tree } = call.system
  const path = absolute(call.process.cwd, fromText(file))
  const folder = path.replace(/\/[^/]*$/, '') || '/'
  const isRefused =
    tree.lookup(path, call.process)?.type === 'directory' ||
    tree.lookup(folder, call.process)?.type !== 'directory'
  if (isRefused) throw new Ended([`Failed to open temp file ${file} for writing`])
  if (tree.room.freeBytes <= 0) throw new SystemError('ENOSPC', path, 'write')
  tree.install(path, fromText(content))
}

const restore: Verb = {
  flags: 'vtTf',
  words: '[options] [<ConfigFile>] <CheckpointFile>',
  does: 'Restore a domain from a saved state',
  about: `-h                       Print this help.
-p                       Do not unpause domain after restoring it.
-e                       Do not wait in the background for the death of the domain.
-d                       Enable debug messages.
-V, --vncviewer          Connect to the VNC display after the domain is created.
-A, --vncviewer-autopass Pass VNC password to viewer via stdin.`,
  options: 'pedVA',
  long: { vncviewer: 'V', 'vncviewer-autopass': 'A' },
  least: 1,
  run: async session => {
    const { host, options } = session
    const file = session.words.at(-1) ?? ''
    const config = session.words.length > 1 ? (session.words[0] ?? '') : '<saved>'
    const { state, length } = read(session, file)
    await tell(session, [
      `Loading new save file ${file} (new xl fmt info 0x3/0x0/${length})`,
      ' Savefile contains xl domain config in JSON format',
      `Parsing config from ${config}`,
    ])
    demandFreeName(host, text(state.xml, 'name') ?? '', 1)
    const [major, minor] = (host.persona.xen?.version ?? '').split('.')
    const lines = [`xc: info: Found x86 PV domain from Xen ${major}.${minor}`, 'xc: info: Restoring domain']
    await tell(session, lines)
    try {
      const vm = await host.hypervisor.restore(state, { paused: options.has('p') })
      await tell(session, [
        'xc: info: Restore successful',
        'xc: info: XenStore: mfn 0x9ff09, dom 0, evt 1',
        'xc: info: Console: mfn 0x9ff08, dom 0, evt 2',
      ])
      watch(session, vm)
      return 0
    } catch (error) {
      if (!(error instanceof Trouble)) throw error
      const id = host.hypervisor.spendId()
      throw new Ended([
        'xc: error: Failed to populate physmap (16 = Device or resource busy): Internal error',
        'xc: error: Restore failed (16 = Device or resource busy): Internal error',
        'libxl: error: libxl_stream_read.c:850:libxl__xc_domain_restore_done: restoring domain: Device or resource busy',
        `libxl: error: libxl_create.c:1640:domcreate_rebuild_done: Domain ${id}:cannot (re-)build domain: -3`,
        ...undone(id),
      ])
    }
  },
}

function read({ call, host }: Session, file: string): { state: Saved; length: number } {
  const { tree } = call.system
  let content: string
  try {
    content = tree.read(absolute(call.process.cwd, fromText(file)), call.process)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    throw new Ended([`Can't open restore file: ${error.text}`])
  }
  const at = content.lastIndexOf(mark)
  const state = host.saved.get(content.slice(at + mark.length).trim())
  if (!content.startsWith(magic) || at < 0 || !state) {
    throw new Ended(['File has wrong magic number - corrupt or for a different tool?'])
  }
  return { state, length: at - magic.length }
}

export const savingVerbs: Readonly<Record<string, Verb>> = { save, restore }
