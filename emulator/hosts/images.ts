import { type Bytes, fromText } from '../files/bytes.js'
import { SystemError } from '../files/errno.js'
import type { FileTree } from '../files/tree.js'
import type { GuestDisk } from '../guest.js'
import type { Blocks } from '../hardware/blocks.js'

/** The system that was installed on a disk: who is started from it. */
export interface Installed {
  readonly persona: string
  readonly personaFolders: readonly string[]
  readonly users: readonly {
    readonly name: string
    readonly authorizedKeys?: readonly string[] | undefined
  }[]
  readonly hostKey: string
  readonly faults?: Readonly<Record<string, unknown>> | undefined
}

/** What stands on a disk: nothing, or a system, as it was installed or as it was left. */
export interface Content {
  readonly installed?: Installed
  readonly disk?: GuestDisk
  /** Of a disk without a system: what was written to it. */
  readonly blocks?: Blocks
}

/** What the head of an image says. */
export interface ImageHead {
  readonly format: 'qcow2' | 'raw'
  readonly virtualBytes: number
  readonly backing?: string
  readonly backingFormat?: string
  /** Names the content; absent while nothing was written on top of the backing file. */
  readonly content?: string
}

const magic = { qcow2: 'QFI\xfb\x00\x00\x00\x03', raw: '\xeb\x63\x90\x10' } as const
const maxChain = 16
/** More than names and numbers come to. */
const longestHead = 65_536

/** The contents of images, by name. They never change: a guest that ends leaves a new one. */
export class ImageStore {
  readonly #contents = new Map<string, Content>()

  /** Keeps a content under a new name: that of its system and a number, so that other systems never have the same bytes. */
  keep(content: Content): string {
    const name = `${content.installed?.persona ?? 'no-system'}-${this.#contents.size + 1}`
    this.#contents.set(name, content)
    return name
  }

  content(name: string): Content {
    return this.#contents.get(name) ?? {}
  }
}

/**
 * The images on a host's disk. A file holds the name of its content, so that copying, moving and removing files on the
 * host does to disks what it does on a real one.
 */
export class Images {
  readonly #store: ImageStore

  constructor(store: ImageStore) {
    this.#store = store
  }

  /** Keeps a content under a new name. */
  keep(content: Content): string {
    return this.#store.keep(content)
  }

  /** Writes an image's head. Throws SystemError, such as ENOSPC. */
  write(tree: FileTree, path: string, { format, ...head }: ImageHead): void {
    const bytes = fromText(path)
    const node = tree.lookup(bytes)
    const text = `${magic[format]}${fromText(JSON.stringify(head))}\n`
    if (node?.type === 'file') {
      node.data.truncate(0)
      node.data.writeAt(0, Buffer.from(text, 'latin1'))
      tree.touch(node)
    } else tree.install(bytes, text, 0o600)
  }

  /** Reads an image's head; a file that is no image of ours is raw and empty. Throws SystemError. */
  read(tree: FileTree, path: string): ImageHead {
    const { bytes, length } = tree.start(fromText(path), longestHead)
    return readHead(bytes, length)
  }

  /** What a guest finds on an image: its own content, or that of the files below. Throws SystemError. */
  find(tree: FileTree, path: string): Content {
    let file = path
    for (let depth = 0; depth < maxChain; depth++) {
      const { content, backing } = this.read(tree, file)
      if (content !== undefined) return this.#store.content(content)
      if (backing === undefined) return {}
      file = backing
    }
    throw new SystemError('ELOOP', path)
  }
}

function readHead(bytes: Bytes, length: number): ImageHead {
  for (const format of ['qcow2', 'raw'] as const) {
    if (!bytes.startsWith(magic[format])) continue
    const end = bytes.indexOf('\n')
    const text = Buffer.from(bytes.slice(magic[format].length, end), 'latin1').toString()
    return { ...(JSON.parse(text) as Omit<ImageHead, 'format'>), format }
  }
  return { format: 'raw', virtualBytes: length }
}
