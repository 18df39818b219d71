import type { FsStat, IFileSystem } from 'just-bash'
import { fromText, toBuffer, toText } from '../files/bytes.js'
import { SystemError } from '../files/errno.js'
import type { DirectoryNode, Node } from '../files/nodes.js'
import { openPath } from '../files/open.js'
import { type FileTree, normalize } from '../files/tree.js'
import type { Process } from '../system/process.js'

type FileContent = string | Uint8Array
type Encoding = Parameters<IFileSystem['readFile']>[1]

/** Bytes that a filter may read of a device before it is told of an error: they have no end. */
const deviceBytes = 16_777_216

/** The guest's file tree as just-bash's filters want it. `process` is whose eyes they see it with. */
export function filterFiles(tree: FileTree, current: () => Process): IFileSystem {
  const node = (path: string, follow = true): Node => tree.need(fromText(path), current(), follow)
  const directory = (path: string): DirectoryNode => {
    const it = node(path)
    if (it.type !== 'directory') throw new SystemError('ENOTDIR', path, 'scandir')
    return it
  }
  const bytes = (path: string): Buffer => {
    const it = node(path)
    if (it.type === 'char' || it.type === 'block') return readDevice(it, path)
    return toBuffer(tree.read(fromText(path), current()))
  }
  const readDevice = (it: Extract<Node, { type: 'char' | 'block' }>, path: string): Buffer => {
    const handle = it.open(current())
    const chunk = handle.read?.(deviceBytes, current().signal)
    if (!(chunk instanceof Uint8Array)) throw new SystemError('EINVAL', path, 'read')
    return chunk
  }
  const write = async (
    path: string,
    content: FileContent,
    encoding: Encoding,
    append: boolean,
  ): Promise<void> => {
    const flags = { write: true, create: true, append, truncate: !append, umask: current().umask }
    const file = openPath(tree, fromText(path), flags, current())
    try {
      await file.write(encode(content, encoding), current().signal)
    } finally {
      file.release()
    }
  }
  const remove = (path: string, recursive: boolean): void => {
    const found = tree.find(fromText(path), current(), false)
    if (found.node?.type === 'directory') {
      const names = found.node.entries.names(current())
      if (names.length > 0 && !recursive) throw new SystemError('ENOTEMPTY', path, 'rmdir')
      for (const name of names) remove(`${path}/${toText(name)}`, true)
    }
    tree.remove(found, current(), fromText(path))
  }
  const copy = async (from: string, to: string, recursive: boolean): Promise<void> => {
    const it = node(from, !recursive)
    if (it.type === 'directory') {
      if (!recursive) throw new SystemError('EISDIR', from, 'cp')
      makeDirectory(to, true)
      for (const name of it.entries.names(current()))
        await copy(`${from}/${toText(name)}`, `${to}/${toText(name)}`, true)
    } else if (it.type === 'link') {
      makeLink(typeof it.target === 'string' ? it.target : it.target(current()), to)
    } else {
      await write(to, bytes(from), undefined, false)
      node(to).mode = it.mode
    }
  }
  const makeDirectory = (path: string, parents: boolean): void => {
    const trimmed = fromText(path).replace(/(?<=.)\/+$/, '')
    if (parents) {
      const above = normalize(trimmed).split('/').slice(0, -1).join('/')
      if (above !== '' && !tree.lookup(above, current())) makeDirectory(toText(above), true)
    }
    const found = tree.find(trimmed, current())
    if (found.node) {
      if (parents && found.node.type === 'directory') return
      throw new SystemError('EEXIST', path, 'mkdir')
    }
    const made = tree.makeDirectory(undefined, 0o777 & ~current().umask)
    made.uid = current().uid
    made.gid = current().gid
    tree.place(found, made, current(), fromText(path))
  }
  const makeLink = (target: string, path: string): void => {
    const found = tree.find(fromText(path), current(), false)
    if (found.node) throw new SystemError('EEXIST', path, 'symlink')
    tree.place(found, tree.makeLink(target), current(), fromText(path))
  }
  const stat = (it: Node): FsStat => ({
    isFile: it.type === 'file' || it.type === 'live',
    isDirectory: it.type === 'directory',
    isSymbolicLink: it.type === 'link',
    mode: it.mode,
    size: it.type === 'file' ? it.data.length : it.type === 'directory' ? 4096 : 0,
    mtime: new Date(it.modifiedMs),
    ino: it.inode,
    dev: 1,
  })
  return {
    readFile: async (path, options) => {
      const encoding = typeof options === 'string' ? options : options?.encoding
      return bytes(path).toString(encoding === 'binary' || encoding === 'latin1' ? 'latin1' : 'utf8')
    },
    readFileBuffer: async path => new Uint8Array(bytes(path)),
    writeFile: (path, content, options) => write(path, content, options, false),
    appendFile: (path, content, options) => write(path, content, options, true),
    exists: async path => tree.lookup(fromText(path), current()) !== undefined,
    stat: async path => stat(node(path)),
    lstat: async path => stat(node(path, false)),
    mkdir: async (path, options) => makeDirectory(path, options?.recursive === true),
    readdir: async path => directory(path).entries.names(current()).map(toText).sort(),
    readdirWithFileTypes: async path => {
      const { entries } = directory(path)
      return entries
        .names(current())
        .map(name => {
          const it = entries.get(name, current())
          const isDirectory = it?.type === 'directory'
          const isSymbolicLink = it?.type === 'link'
          return { name: toText(name), isFile: !isDirectory && !isSymbolicLink, isDirectory, isSymbolicLink }
        })
        .sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    rm: async (path, options) => {
      if (options?.force && !tree.lookup(fromText(path), current(), false)) return
      remove(path, options?.recursive === true)
    },
    cp: (from, to, options) => copy(from, to, options?.recursive === true),
    mv: async (from, to) => {
      const source = tree.find(fromText(from), current(), false)
      if (!source.node) throw new SystemError('ENOENT', from, 'rename')
      const target = tree.find(fromText(to), current(), false)
      if (target.node === source.node) return
      if (target.node) tree.remove(target, current(), fromText(to))
      tree.place(target, source.node, current(), fromText(to))
      source.directory.entries.delete?.(source.name)
    },
    resolvePath: (base, path) => normalize(path.startsWith('/') ? path : `${base}/${path}`),
    getAllPaths: () => [],
    chmod: async (path, mode) => {
      const it = node(path)
      if (current().uid !== 0 && current().uid !== it.uid) throw new SystemError('EPERM', path, 'chmod')
      it.mode = mode & 0o7777
    },
    symlink: async (target, path) => makeLink(fromText(target), path),
    link: async (existing, path) => {
      const it = node(existing)
      const found = tree.find(fromText(path), current(), false)
      if (found.node) throw new SystemError('EEXIST', path, 'link')
      if (it.type === 'directory') throw new SystemError('EPERM', path, 'link')
      if (it.type === 'file') it.links++
      tree.place(found, it, current(), fromText(path))
    },
    readlink: async path => {
      const it = node(path, false)
      if (it.type !== 'link') throw new SystemError('EINVAL', path, 'readlink')
      return toText(typeof it.target === 'string' ? it.target : it.target(current()))
    },
    realpath: async path => {
      const found = tree.find(fromText(path), current())
      if (!found.node) throw new SystemError('ENOENT', path, 'realpath')
      return toText(found.path)
    },
    utimes: async (path, _accessed, modified) => tree.touch(node(path), modified.getTime()),
  }
}

function encode(content: FileContent, options: Encoding): Buffer {
  if (typeof content !== 'string') return Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  const encoding = typeof options === 'string' ? options : options?.encoding
  if (encoding === 'binary' || encoding === 'latin1') return Buffer.from(content, 'latin1')
  if (encoding === 'base64' || encoding === 'hex') return Buffer.from(content, encoding)
  return Buffer.from(content, 'utf8')
}
