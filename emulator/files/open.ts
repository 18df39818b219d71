import type { Bytes } from './bytes.js'
import { fromBuffer, toBuffer } from './bytes.js'
import { SystemError } from './errno.js'
import type { LiveNode, RegularNode, Viewer } from './nodes.js'
import { type FileHandle, OpenFile } from './open-file.js'
import type { FileTree } from './tree.js'

/** How a file is opened, as `open(2)` has it. */
export interface OpenFlags {
  readonly read?: boolean
  readonly write?: boolean
  readonly create?: boolean
  /** With `create`: fail where something is there already. */
  readonly exclusive?: boolean
  readonly truncate?: boolean
  readonly append?: boolean
  /** Mode bits of a file that is created, before the umask. */
  readonly mode?: number
  readonly umask?: number
}

/** Opens a file by its absolute path. Throws what `open(2)` would set errno to. */
export function openPath(tree: FileTree, path: Bytes, flags: OpenFlags, viewer: Viewer): OpenFile {
  const found = tree.find(path, viewer)
  let node = found.node
  if (node && flags.create && flags.exclusive) throw new SystemError('EEXIST', path)
  if (!node) {
    if (!flags.create) throw new SystemError('ENOENT', path)
    node = tree.makeFile((flags.mode ?? 0o666) & ~(flags.umask ?? 0o022))
    node.uid = viewer.uid
    node.gid = viewer.gid
    tree.place(found, node, viewer, path)
  } else {
    if (flags.read && !tree.allows(node, viewer, 'r')) throw new SystemError('EACCES', path)
    if (flags.write && !tree.allows(node, viewer, 'w')) throw new SystemError('EACCES', path)
  }
  switch (node.type) {
    case 'directory':
      if (flags.write) throw new SystemError('EISDIR', path)
      return new OpenFile({ kind: 'directory' }, found.path)
    case 'link':
      throw new SystemError('ELOOP', path)
    case 'char':
    case 'block':
      return new OpenFile(node.open(viewer), found.path)
    case 'live':
      if (flags.write && !node.write) throw new SystemError('EACCES', path)
      return new OpenFile(liveHandle(node, viewer), found.path)
    case 'file':
      if (flags.write && flags.truncate) {
        node.data.truncate(0)
        tree.touch(node)
      }
      return new OpenFile(regularHandle(tree, node, flags), found.path)
  }
}

function regularHandle(tree: FileTree, node: RegularNode, flags: OpenFlags): FileHandle {
  let offset = 0
  const handle: FileHandle = {
    kind: 'file',
    seek: to => {
      offset = to
    },
    truncate: length => {
      node.data.truncate(length)
      tree.touch(node)
    },
  }
  if (flags.read) {
    handle.read = max => {
      const taken = Buffer.from(node.data.bytes.subarray(offset, offset + max))
      offset += taken.length
      return taken
    }
  }
  if (flags.write) {
    handle.write = data => {
      if (flags.append) offset = node.data.length
      node.data.writeAt(offset, tree.corruption ? tree.corruption(data, offset) : data)
      offset += data.length
      tree.touch(node)
    }
  }
  return handle
}

/** A live file is made when it is first read, and then read as it was made. */
function liveHandle(node: LiveNode, viewer: Viewer): FileHandle {
  let content: Buffer | undefined
  let offset = 0
  return {
    kind: 'file',
    seek: to => {
      offset = to
      content = undefined
    },
    read: max => {
      content ??= toBuffer(node.read(viewer))
      const taken = content.subarray(offset, offset + max)
      offset += taken.length
      return taken
    },
    write: data => {
      if (!node.write) throw new SystemError('EACCES')
      node.write(fromBuffer(data), viewer)
    },
  }
}
