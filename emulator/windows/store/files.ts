/** What Windows says when a file operation fails. */
export type FileTrouble = 'file-not-found' | 'path-not-found' | 'exists' | 'denied' | 'not-empty' | 'name'

/** A file operation of the emulated guest failed. */
export class FileError extends Error {
  readonly trouble: FileTrouble
  readonly path: string

  constructor(trouble: FileTrouble, path: string) {
    super(`${trouble}: ${path}`)
    this.trouble = trouble
    this.path = path
  }
}

export interface FileNode {
  readonly type: 'file'
  name: string
  data: Buffer
  /** Size in bytes where the content is not kept. */
  size?: number
  modifiedMs: number
  readonly createdMs: number
  version?: string
  company?: string
  /** The program that runs when this file is started. */
  program?: string
  readOnly?: boolean
}

export interface FolderNode {
  readonly type: 'folder'
  name: string
  readonly entries: Map<string, FileNode | FolderNode>
  modifiedMs: number
  readonly createdMs: number
}

export type WinNode = FileNode | FolderNode

/** The size in bytes that a folder's listing shows. */
export function sizeOf(file: FileNode): number {
  return file.size ?? file.data.length
}

/** Makes a path absolute, with its drive, and takes `.` and `..` out. */
export function resolvePath(cwd: string, path: string): string {
  const clean = path.replaceAll('/', '\\').replace(/^\\\\[?.]\\/, '')
  const drive = /^[a-z]:/i.exec(clean)?.[0] ?? cwd.slice(0, 2)
  const rest = /^[a-z]:/i.test(clean) ? clean.slice(2) : clean
  const absolute = rest.startsWith('\\') ? rest : `${cwd.slice(2)}\\${rest}`
  const kept: string[] = []
  for (const part of absolute.split('\\')) {
    if (part === '' || part === '.') continue
    if (part === '..') kept.pop()
    else kept.push(part.replace(/[. ]+$/, '') || part)
  }
  return `${drive.toUpperCase()}\\${kept.join('\\')}`
}

/** The folder of an absolute path and the name in it. */
export function splitPath(path: string): { folder: string; name: string } {
  const at = path.lastIndexOf('\\')
  const folder = path.slice(0, at)
  return { folder: folder.length === 2 ? `${folder}\\` : folder, name: path.slice(at + 1) }
}

/** Whether a name fits a pattern with `*` and `?`. */
export function fitsPattern(name: string, pattern: string): boolean {
  const source =
    pattern === '*.*'
      ? '.*'
      : pattern
          .replace(/[.+^${}()|[\]\\]/g, '\\$&')
          .replace(/\*/g, '.*')
          .replace(/\?/g, '.')
  return new RegExp(`^${source}$`, 'i').test(name)
}

const leastRoomBytes = 1024

/** The files of one volume. Names keep their case and are found in any. */
export class Volume {
  readonly root: FolderNode
  /** The guest's clock in ms: that of the boot that uses the volume. */
  now: () => number
  /** Every so many bytes, one that was written is not the one that is read; undefined of a sound disk. */
  readonly #corruptEvery: number | undefined
  /** What files that grow at their end have room in: a script may write a file line by line. */
  readonly #rooms = new WeakMap<FileNode, Buffer>()

  constructor(now: () => number, corruptEvery: number | undefined) {
    this.now = now
    this.#corruptEvery = corruptEvery
    this.root = { type: 'folder', name: 'C:', entries: new Map(), modifiedMs: now(), createdMs: now() }
  }

  /** The same files once more. */
  copy(): Volume {
    const copy = new Volume(this.now, this.#corruptEvery)
    copy.root.modifiedMs = this.root.modifiedMs
    for (const [key, node] of this.root.entries) copy.root.entries.set(key, copyNode(node))
    return copy
  }

  find(path: string): WinNode | undefined {
    if (!/^C:/i.test(path)) return undefined
    let node: WinNode = this.root
    for (const part of path
      .slice(3)
      .split('\\')
      .filter(it => it !== '')) {
      if (node.type !== 'folder') return undefined
      const next: WinNode | undefined = node.entries.get(part.toLowerCase())
      if (!next) return undefined
      node = next
    }
    return node
  }

  /** The file at a path. Throws FileError as CreateFile fails. */
  file(path: string): FileNode {
    const node = this.find(path)
    if (node?.type === 'file') return node
    if (node) throw new FileError('denied', path)
    throw new FileError(this.find(splitPath(path).folder) ? 'file-not-found' : 'path-not-found', path)
  }

  /** The folder at a path, made with those above it when `make` says so. */
  folder(path: string, make = false): FolderNode {
    let node: FolderNode = this.root
    for (const part of path
      .slice(3)
      .split('\\')
      .filter(it => it !== '')) {
      let next = node.entries.get(part.toLowerCase())
      if (!next) {
        if (!make) throw new FileError('path-not-found', path)
        next = {
          type: 'folder',
          name: part,
          entries: new Map(),
          modifiedMs: this.now(),
          createdMs: this.now(),
        }
        node.entries.set(part.toLowerCase(), next)
      }
      if (next.type !== 'folder') throw new FileError('path-not-found', path)
      node = next
    }
    return node
  }

  /** Writes a file: anew, or at its end. */
  write(path: string, data: Buffer, append = false): FileNode {
    const { folder, name } = splitPath(path)
    if (name === '' || /[<>"|?*]/.test(name)) throw new FileError('name', path)
    const before = this.find(path)
    if (before?.type === 'folder') throw new FileError('denied', path)
    if (before?.readOnly) throw new FileError('denied', path)
    const kept = this.#kept(data, append && before ? before.data.length : 0)
    if (before) {
      before.data = append ? this.#appended(before, kept) : kept
      delete before.size
      before.modifiedMs = this.now()
      return before
    }
    const now = this.now()
    const file: FileNode = { type: 'file', name, data: kept, modifiedMs: now, createdMs: now }
    this.folder(folder).entries.set(name.toLowerCase(), file)
    return file
  }

  /**
   * A file's bytes with more behind them, in room that was left for them where there is some. Nothing that was there
   * changes, so that a copy of the file keeps what it has.
   */
  #appended(file: FileNode, more: Buffer): Buffer {
    const { data } = file
    const end = data.length + more.length
    let room = this.#rooms.get(file)
    const fits = room?.buffer === data.buffer && room.byteOffset === data.byteOffset && end <= room.length
    if (room === undefined || !fits) {
      room = Buffer.alloc(Math.max(2 * end, leastRoomBytes))
      data.copy(room)
      this.#rooms.set(file, room)
    }
    more.copy(room, data.length)
    return room.subarray(0, end)
  }

  /** Writes into a file at an offset. */
  writeAt(path: string, offset: number, data: Buffer): void {
    const file = this.file(path)
    const end = offset + data.length
    const grown =
      end > file.data.length
        ? Buffer.concat([file.data, Buffer.alloc(end - file.data.length)])
        : Buffer.from(file.data)
    this.#kept(data, offset).copy(grown, offset)
    file.data = grown
    delete file.size
    file.modifiedMs = this.now()
  }

  /** Puts a file or folder there as the setup program does, making the folders above it. */
  install(path: string, node: Omit<FileNode, 'name'>): void {
    const { folder, name } = splitPath(path)
    this.folder(folder, true).entries.set(name.toLowerCase(), { ...node, name })
  }

  remove(path: string): void {
    const { folder, name } = splitPath(path)
    const node = this.find(path)
    if (!node) throw new FileError(this.find(folder) ? 'file-not-found' : 'path-not-found', path)
    if (node.type === 'file' && node.readOnly) throw new FileError('denied', path)
    this.folder(folder).entries.delete(name.toLowerCase())
  }

  /** The entries of a folder by name, as NTFS sorts them. */
  list(path: string): WinNode[] {
    const node = this.find(path)
    if (node?.type !== 'folder') throw new FileError('path-not-found', path)
    return [...node.entries.values()].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))
  }

  #kept(data: Buffer, offset: number): Buffer {
    const kept = Buffer.from(data)
    const every = this.#corruptEvery
    if (every === undefined) return kept
    for (let at = every - 1 - (offset % every); at < kept.length; at += every) kept[at] = (kept[at] ?? 0) ^ 1
    return kept
  }
}

/** Content is replaced as a whole, or added to behind its end, and never changed in place: so copies share it. */
function copyNode(node: WinNode): WinNode {
  if (node.type === 'file') return { ...node }
  return { ...node, entries: new Map([...node.entries].map(([key, child]) => [key, copyNode(child)])) }
}
