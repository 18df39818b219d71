import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { pack } from 'tar-stream'
import type { RecipeFile } from './recipe.js'

/** What is laid over a guest's file tree: all of it owned by root. */
export interface Layer {
  readonly files: Readonly<Record<string, RecipeFile>>
  /** Symbolic links: path to target. */
  readonly links: Readonly<Record<string, string>>
  /** Folders that need another mode than 0755. */
  readonly folders: Readonly<Record<string, number>>
}

/** Writes a layer as a tar archive; its times are 0, so that equal layers are equal files. */
export async function writeLayer(file: string, layer: Layer): Promise<void> {
  const archive = pack()
  const written = pipeline(archive, createWriteStream(file, { mode: 0o600 }))
  const root = { uid: 0, gid: 0, uname: 'root', gname: 'root', mtime: new Date(0) }
  for (const [path, mode] of Object.entries(layer.folders)) {
    archive.entry({ ...root, name: `.${path}/`, type: 'directory', mode })
  }
  for (const [path, { content, mode }] of Object.entries(layer.files)) {
    archive.entry({ ...root, name: `.${path}`, mode }, content)
  }
  for (const [path, target] of Object.entries(layer.links)) {
    archive.entry({ ...root, name: `.${path}`, type: 'symlink', linkname: target })
  }
  archive.finalize()
  await written
}
