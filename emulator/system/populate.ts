import { InternalError } from '../errors.js'
import { fromText, toBuffer } from '../files/bytes.js'
import type { Node } from '../files/nodes.js'
import { type FileTree, kernelViewer } from '../files/tree.js'
import type { GuestPersona, PersonaFile } from '../persona/schema.js'
import type { LiveContext } from './context.js'
import { deviceNode } from './devices.js'
import { seatDisks } from './disks.js'
import { liveFile } from './live-files.js'
import { liveTree } from './live-trees.js'
import { executableContent } from './programs.js'

/** Empties what does not outlive a boot: tmpfs, and what the product's boot scripts clean. */
export function clearTemporary(tree: FileTree, persona: GuestPersona): void {
  for (const path of persona.storage.clearedAtBoot) {
    const node = tree.lookup(path)
    if (node?.type !== 'directory') continue
    for (const name of node.entries.names(kernelViewer)) node.entries.delete?.(name)
  }
}

/** Puts the persona's files, devices and programs in their places; on a used disk only what the kernel makes. */
export function populate(context: LiveContext, first: boolean): void {
  const { system, persona } = context
  const { tree } = system
  const files = Object.entries(persona.files).sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [path, file] of files) if (file && 'tree' in file) place(context, path, file)
  for (const [path, file] of files) {
    if (!file || 'tree' in file) continue
    if (first || 'live' in file || 'device' in file || !tree.lookup(path, kernelViewer, false))
      place(context, path, file)
  }
  seatDisks(context)
  if (!first) return
  const missing = new Set(persona.missing.flatMap(group => group.paths))
  for (const path of persona.programs.flatMap(group => group.paths)) {
    if (missing.has(path) || persona.files[path] === null) continue
    const name = path.split('/').at(-1) ?? ''
    if (!tree.lookup(path)) tree.install(path, executableContent(name), 0o755)
  }
  for (const account of system.accounts) {
    const home = tree.directory(account.home, account.uid === 0 ? 0o700 : 0o755)
    home.uid = account.uid
    home.gid = account.gid
  }
}

function place(context: LiveContext, path: string, file: PersonaFile): void {
  const { tree, accounts } = context.system
  const mode = 'mode' in file && file.mode !== undefined ? Number.parseInt(file.mode, 8) : undefined
  if ('directory' in file) {
    const directory = tree.directory(fromText(path))
    if (mode !== undefined) directory.mode = mode
    return
  }
  const node = makeNode(context, path, file)
  if (mode !== undefined) node.mode = mode
  const owner = 'owner' in file ? accounts.find(account => account.name === file.owner) : undefined
  if (owner) node.uid = owner.uid
  tree.installNode(fromText(path), node)
}

function makeNode(context: LiveContext, path: string, file: Exclude<PersonaFile, { directory: true }>): Node {
  const { tree } = context.system
  const unknown = (what: string): InternalError =>
    new InternalError(`${context.persona.persona}: files › ${path}: there is no ${what}`)
  if ('link' in file) return tree.makeLink(fromText(file.link))
  if ('tree' in file) {
    const directory = liveTree(file.tree, context)
    if (!directory) throw unknown(`tree ${file.tree}`)
    return directory
  }
  if ('device' in file) {
    const node = deviceNode(file.device, context)
    if (!node) throw unknown(`device ${file.device}`)
    return node
  }
  if ('live' in file) {
    const live = liveFile(file.live, context)
    if (!live) throw unknown(`live file ${file.live}`)
    return tree.makeLive(viewer => {
      context.system.used.add(`files ${path}`)
      return fromText(live.read(viewer))
    }, live.write)
  }
  const node = tree.makeFile()
  node.data.writeAt(0, 'text' in file ? toBuffer(fromText(file.text)) : Buffer.from(file.base64, 'base64'))
  return node
}
