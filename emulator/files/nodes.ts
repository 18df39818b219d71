import type { Bytes } from './bytes.js'
import { SystemError } from './errno.js'
import type { FileHandle } from './open-file.js'

/** Who looks: some files show each process something else, and modes grant by user. */
export interface Viewer {
  readonly pid: number
  readonly uid: number
  readonly gid: number
}

interface Meta {
  readonly inode: number
  /** Permission bits, with set-id and sticky. */
  mode: number
  uid: number
  gid: number
  /** Last change of the content, ms since 1970 on the guest's own clock. */
  modifiedMs: number
}

/** A file whose bytes are kept. */
export interface RegularNode extends Meta {
  readonly type: 'file'
  readonly data: FileData
  links: number
}

/** A file whose bytes are made when it is read, as under /proc and /sys. */
export interface LiveNode extends Meta {
  readonly type: 'live'
  read(viewer: Viewer): Bytes
  write?(data: Bytes, viewer: Viewer): void
}

export interface LinkNode extends Meta {
  readonly type: 'link'
  readonly target: Bytes | ((viewer: Viewer) => Bytes)
}

export interface DeviceNode extends Meta {
  readonly type: 'char' | 'block'
  readonly major: number
  readonly minor: number
  /** Opens it for a viewer; throws ENXIO where nothing is behind it. */
  open(viewer: Viewer): FileHandle
}

/** What a directory holds; /proc makes its own as it is asked. */
export interface Entries {
  get(name: Bytes, viewer: Viewer): Node | undefined
  names(viewer: Viewer): Bytes[]
  set?(name: Bytes, node: Node): void
  delete?(name: Bytes): void
}

export interface DirectoryNode extends Meta {
  readonly type: 'directory'
  readonly entries: Entries
}

export type Node = RegularNode | LiveNode | LinkNode | DeviceNode | DirectoryNode

/** The room that all files of one guest share. */
export interface Room {
  freeBytes: number
}

/** How a disk that does not keep what it was given changes it on the way. */
export type Corruption = (data: Buffer, offset: number) => Buffer

/** The bytes of a regular file, grown as it is written. */
export class FileData {
  #buffer: Buffer = Buffer.alloc(0)
  #length = 0
  readonly #room: Room

  constructor(room: Room) {
    this.#room = room
  }

  get length(): number {
    return this.#length
  }

  /** The content; valid until the next write. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  writeAt(offset: number, data: Buffer): void {
    const end = offset + data.length
    if (end > this.#buffer.length) this.#grow(end)
    data.copy(this.#buffer, offset)
    this.#length = Math.max(this.#length, end)
  }

  truncate(length: number): void {
    if (length === 0) {
      this.free()
      return
    }
    if (length > this.#length) {
      if (length > this.#buffer.length) this.#grow(length)
    } else this.#buffer.fill(0, length, this.#length)
    this.#length = length
  }

  /** A copy of the content for another tree, whose room already counts it. */
  copyFor(room: Room): FileData {
    const copy = new FileData(room)
    copy.#buffer = Buffer.from(this.#buffer)
    copy.#length = this.#length
    return copy
  }

  /** Gives the room back, when the last link is gone. */
  free(): void {
    this.#room.freeBytes += this.#buffer.length
    this.#buffer = Buffer.alloc(0)
    this.#length = 0
  }

  #grow(end: number): void {
    const size = Math.max(end, Math.min(this.#buffer.length * 2, this.#buffer.length + 16_777_216))
    const more = size - this.#buffer.length
    if (more > this.#room.freeBytes) throw new SystemError('ENOSPC', '', 'write')
    this.#room.freeBytes -= more
    const grown = Buffer.alloc(size)
    this.bytes.copy(grown)
    this.#buffer = grown
  }
}

/** Entries kept in memory. */
export class KeptEntries implements Entries {
  readonly #nodes = new Map<Bytes, Node>()

  get(name: Bytes): Node | undefined {
    return this.#nodes.get(name)
  }

  names(): Bytes[] {
    return [...this.#nodes.keys()]
  }

  set(name: Bytes, node: Node): void {
    this.#nodes.set(name, node)
  }

  delete(name: Bytes): void {
    this.#nodes.delete(name)
  }
}
