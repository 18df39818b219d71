import { type Bytes, fromText } from '../files/bytes.js'
import type { DirectoryNode, Entries, LiveNode, Node, Viewer } from '../files/nodes.js'
import { type FileTree, kernelViewer } from '../files/tree.js'

/** A file that the kernel makes: what it says, and what becomes of what is written to it. */
export interface MadeFile {
  readonly read: () => string
  readonly write?: NonNullable<LiveNode['write']>
}

/** A directory of files with these contents, by path below it. */
export function directoryOf(
  tree: FileTree,
  files: Readonly<Record<string, string | MadeFile>>,
): DirectoryNode {
  const root = tree.makeDirectory()
  for (const [path, file] of Object.entries(files)) {
    const parts = path.split('/')
    const name = parts.pop() ?? ''
    let here = root
    for (const part of parts) {
      const next = here.entries.get(part, kernelViewer)
      if (next?.type === 'directory') here = next
      else {
        const made = tree.makeDirectory()
        here.entries.set?.(part, made)
        here = made
      }
    }
    const { read, write }: MadeFile = typeof file === 'string' ? { read: () => file } : file
    here.entries.set?.(
      name,
      tree.makeLive(() => fromText(read()), write),
    )
  }
  return root
}

/** Entries that are made anew whenever they are asked for. */
class MadeEntries implements Entries {
  readonly #make: () => DirectoryNode

  constructor(make: () => DirectoryNode) {
    this.#make = make
  }

  get(name: Bytes, viewer: Viewer): Node | undefined {
    return this.#make().entries.get(name, viewer)
  }

  names(viewer: Viewer): Bytes[] {
    return this.#make().entries.names(viewer)
  }
}

/** A directory whose files come and go with the machine. */
export function changingDirectory(
  tree: FileTree,
  files: () => Readonly<Record<string, string | MadeFile>>,
): DirectoryNode {
  return tree.makeDirectory(new MadeEntries(() => directoryOf(tree, files())))
}
