import type { Bytes } from './bytes.js'
import { fromBuffer, toBuffer } from './bytes.js'
import { type ErrorCode, SystemError } from './errno.js'
import {
  type Corruption,
  type DeviceNode,
  type DirectoryNode,
  type Entries,
  FileData,
  KeptEntries,
  type LinkNode,
  type LiveNode,
  type Node,
  type RegularNode,
  type Room,
  type Viewer,
} from './nodes.js'

/** The kernel itself: sees everything. */
export const kernelViewer: Viewer = { pid: 0, uid: 0, gid: 0 }

/** How many symbolic links one path may pass, as in Linux. */
const maxLinks = 40

/** Where a path leads: the directory that holds it, its name there, and the node when there is one. */
export interface Found {
  readonly directory: DirectoryNode
  readonly name: Bytes
  readonly node: Node | undefined
  /** The absolute path without links, except perhaps a last one that was not followed. */
  readonly path: Bytes
}

/** What a mode must grant. */
export type Access = 'r' | 'w' | 'x'

/** The file tree of one guest: all that its programs can reach by a path. */
export class FileTree {
  readonly root: DirectoryNode
  readonly room: Room
  /** Set where the disk does not keep what it was given. */
  corruption: Corruption | undefined
  /** Directories that copies have in common with it instead of their own. */
  shared: readonly Bytes[] = []
  /** The guest's own clock in ms: that of the boot that uses the disk. */
  now: () => number
  #inodes = 2

  /** `nowMs` is the guest's own clock, `roomBytes` what all files together may hold. */
  constructor(nowMs: () => number, roomBytes: number) {
    this.now = nowMs
    this.room = { freeBytes: roomBytes }
    this.root = this.makeDirectory(new KeptEntries())
  }

  makeDirectory(entries: Entries = new KeptEntries(), mode = 0o755): DirectoryNode {
    return { type: 'directory', entries, ...this.#meta(mode) }
  }

  makeFile(mode = 0o644): RegularNode {
    return { type: 'file', data: new FileData(this.room), links: 1, ...this.#meta(mode) }
  }

  makeLive(read: LiveNode['read'], write?: LiveNode['write']): LiveNode {
    const meta = this.#meta(write ? 0o644 : 0o444)
    return write ? { type: 'live', read, write, ...meta } : { type: 'live', read, ...meta }
  }

  makeLink(target: LinkNode['target']): LinkNode {
    return { type: 'link', target, ...this.#meta(0o777) }
  }

  makeDevice(
    type: 'char' | 'block',
    major: number,
    minor: number,
    mode: number,
    open: DeviceNode['open'],
  ): DeviceNode {
    return { type, major, minor, open, ...this.#meta(mode) }
  }

  #meta(mode: number): { inode: number; mode: number; uid: number; gid: number; modifiedMs: number } {
    return { inode: this.#inodes++, mode, uid: 0, gid: 0, modifiedMs: this.now() }
  }

  /** The same files once more. What the kernel makes is shared: each boot makes it anew. */
  copy(): FileTree {
    const copy = new FileTree(this.now, this.room.freeBytes)
    copy.#inodes = this.#inodes
    copy.shared = this.shared
    const seen = new Map<Node, Node>()
    for (const path of this.shared) {
      const node = this.lookup(path)
      if (node) seen.set(node, node)
    }
    const copyOf = (node: Node): Node => {
      const known = seen.get(node)
      if (known) return known
      const made = copyNode(node, copy.room, copyOf)
      seen.set(node, made)
      return made
    }
    copyEntries(this.root, copy.root, copyOf)
    return copy
  }

  /** Notes that the content changed now. */
  touch(node: Node, atMs = this.now()): void {
    node.modifiedMs = atMs
  }

  /** Follows an absolute path. Throws ENOENT or ENOTDIR when a directory on the way is missing. */
  find(path: Bytes, viewer: Viewer, follow = true): Found {
    const found = this.#walk(path, viewer, follow)
    if (typeof found === 'string') throw new SystemError(found, path)
    return found
  }

  #walk(path: Bytes, viewer: Viewer, follow: boolean): Found | ErrorCode {
    let links = 0
    let rest = path.split('/').filter(part => part !== '')
    let trail: { node: DirectoryNode; name: Bytes }[] = []
    const here = (): DirectoryNode => trail.at(-1)?.node ?? this.root
    const pathOf = (last: Bytes): Bytes => `/${[...trail.map(step => step.name), last].join('/')}`
    for (;;) {
      const name = rest.shift()
      if (name === undefined) {
        const last = trail.pop()
        if (!last) return { directory: this.root, name: '', node: this.root, path: '/' }
        return { directory: here(), name: last.name, node: last.node, path: pathOf(last.name) }
      }
      if (name === '.') continue
      if (name === '..') {
        trail.pop()
        continue
      }
      const directory = here()
      if (!this.allows(directory, viewer, 'x')) return 'EACCES'
      const node = directory.entries.get(name, viewer)
      if (node?.type === 'link' && (rest.length > 0 || follow)) {
        if (++links > maxLinks) return 'ELOOP'
        const target = typeof node.target === 'string' ? node.target : node.target(viewer)
        if (target.startsWith('/')) trail = []
        rest = [...target.split('/').filter(part => part !== ''), ...rest]
        continue
      }
      if (node?.type === 'directory') {
        trail.push({ node, name })
        continue
      }
      if (rest.length > 0 || path.endsWith('/')) return node ? 'ENOTDIR' : 'ENOENT'
      return { directory, name, node, path: pathOf(name) }
    }
  }

  /** The node at a path, or ENOENT. */
  need(path: Bytes, viewer: Viewer = kernelViewer, follow = true): Node {
    const { node } = this.find(path, viewer, follow)
    if (!node) throw new SystemError('ENOENT', path)
    return node
  }

  /** The node at a path, or undefined. */
  lookup(path: Bytes, viewer: Viewer = kernelViewer, follow = true): Node | undefined {
    const found = this.#walk(path, viewer, follow)
    return typeof found === 'string' ? undefined : found.node
  }

  /** Whether the mode grants it; root may all but execute what nobody may. */
  allows(node: Node, viewer: Viewer, access: Access): boolean {
    const bit = access === 'r' ? 4 : access === 'w' ? 2 : 1
    if (viewer.uid === 0) return access !== 'x' || node.type === 'directory' || (node.mode & 0o111) !== 0
    const shift = viewer.uid === node.uid ? 6 : viewer.gid === node.gid ? 3 : 0
    return ((node.mode >> shift) & bit) !== 0
  }

  /** Puts a new node into a directory in which the viewer may write. */
  place({ directory, name }: Found, node: Node, viewer: Viewer, path: Bytes): void {
    if (name === '') throw new SystemError('EEXIST', path)
    if (!directory.entries.set) throw new SystemError('EPERM', path)
    if (!this.allows(directory, viewer, 'w')) throw new SystemError('EACCES', path)
    directory.entries.set(name, node)
    this.touch(directory)
  }

  /** Takes an entry out of its directory; a file's room comes back with its last link. */
  remove(found: Found, viewer: Viewer, path: Bytes): void {
    const { directory, name, node } = found
    if (!node || !directory.entries.delete) throw new SystemError(node ? 'EPERM' : 'ENOENT', path, 'unlink')
    const sticky = (directory.mode & 0o1000) !== 0 && viewer.uid !== 0 && node.uid !== viewer.uid
    if (sticky || !this.allows(directory, viewer, 'w'))
      throw new SystemError(sticky ? 'EPERM' : 'EACCES', path, 'unlink')
    directory.entries.delete(name)
    if (node.type === 'file' && --node.links === 0) node.data.free()
    this.touch(directory)
  }

  /** All bytes of a file. */
  read(path: Bytes, viewer: Viewer = kernelViewer): Bytes {
    const node = this.need(path, viewer)
    if (!this.allows(node, viewer, 'r')) throw new SystemError('EACCES', path)
    if (node.type === 'file') return fromBuffer(node.data.bytes)
    if (node.type === 'live') return node.read(viewer)
    throw new SystemError(node.type === 'directory' ? 'EISDIR' : 'EINVAL', path, 'read')
  }

  /** The first bytes of a file and its length, as the kernel: of a large file the rest is not looked at. */
  start(path: Bytes, most: number): { readonly bytes: Bytes; readonly length: number } {
    const node = this.need(path)
    if (node.type === 'file') {
      return { bytes: fromBuffer(node.data.bytes.subarray(0, most)), length: node.data.length }
    }
    const bytes = this.read(path)
    return { bytes: bytes.slice(0, most), length: bytes.length }
  }

  /** Writes a whole file as the kernel, making the directories above it: for building the tree. */
  install(path: Bytes, content: Bytes, mode = 0o644): RegularNode {
    const node = this.makeFile(mode)
    node.data.writeAt(0, toBuffer(content))
    this.installNode(path, node)
    return node
  }

  /** Puts any node at a path as the kernel, making the directories above it. */
  installNode(path: Bytes, node: Node): void {
    const parts = path.split('/').filter(part => part !== '')
    const name = parts.pop()
    if (name === undefined) return
    this.directory(parts.join('/')).entries.set?.(name, node)
  }

  /** The directory at a path, made with those above it where they are missing. */
  directory(path: Bytes, mode = 0o755): DirectoryNode {
    let at = '/'
    let here = this.root
    for (const part of path.split('/').filter(piece => piece !== '')) {
      at = at === '/' ? `/${part}` : `${at}/${part}`
      let next = this.lookup(at)
      if (!next) {
        next = this.makeDirectory(new KeptEntries(), mode)
        here.entries.set?.(part, next)
      }
      if (next.type !== 'directory') throw new SystemError('ENOTDIR', at, 'mkdir')
      here = next
    }
    return here
  }
}

/** Hard links stay what they are: `copyOf` gives the same copy for the same node. */
function copyNode(node: Node, room: Room, copyOf: (node: Node) => Node): Node {
  if (node.type === 'file') return { ...node, data: node.data.copyFor(room) }
  if (node.type !== 'directory' || node.entries.constructor !== KeptEntries) return node
  const directory: DirectoryNode = { ...node, entries: new KeptEntries() }
  copyEntries(node, directory, copyOf)
  return directory
}

function copyEntries(from: DirectoryNode, to: DirectoryNode, copyOf: (node: Node) => Node): void {
  for (const name of from.entries.names(kernelViewer)) {
    const node = from.entries.get(name, kernelViewer)
    if (node) to.entries.set?.(name, copyOf(node))
  }
}

/** Makes a path absolute and takes `.` and empty parts out; `..` is left to the tree, for links' sake. */
export function absolute(cwd: Bytes, path: Bytes): Bytes {
  return path.startsWith('/') ? path : `${cwd === '/' ? '' : cwd}/${path}`
}

/** Removes `.` and `..` by text alone, as `cd` does by default. */
export function normalize(path: Bytes): Bytes {
  const kept: Bytes[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') kept.pop()
    else kept.push(part)
  }
  return `/${kept.join('/')}`
}
