import type { Bytes } from '../files/bytes.js'
import type { Viewer } from '../files/nodes.js'
import { absolute, type FileTree } from '../files/tree.js'
import { isPattern, patternSource, unquotePattern } from './pattern.js'

/** The paths that match a pattern, sorted; empty when there is none. */
export function expandGlob(tree: FileTree, viewer: Viewer, cwd: Bytes, pattern: Bytes): Bytes[] {
  let matches: Bytes[] = [pattern.startsWith('/') ? '/' : '']
  const parts = pattern.split('/').filter(part => part !== '')
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1
    matches = matches.flatMap(base => step(tree, viewer, cwd, base, part, last))
  }
  if (pattern.endsWith('/')) matches = matches.map(match => `${match}/`)
  return matches.sort()
}

function step(tree: FileTree, viewer: Viewer, cwd: Bytes, base: Bytes, part: Bytes, last: boolean): Bytes[] {
  const under = (name: Bytes): Bytes => (base === '' || base === '/' ? `${base}${name}` : `${base}/${name}`)
  const place = (path: Bytes): Bytes => absolute(cwd, path === '' ? '.' : path)
  if (!isPattern(part.replace(/\\./g, ''))) {
    const path = under(unquotePattern(part))
    return tree.lookup(place(path), viewer, !last) ? [path] : []
  }
  const directory = tree.lookup(place(base), viewer)
  if (directory?.type !== 'directory' || !tree.allows(directory, viewer, 'r')) return []
  const expression = new RegExp(`^(?:${patternSource(part)})$`)
  const hidden = part.startsWith('.')
  return directory.entries
    .names(viewer)
    .filter(name => (hidden || !name.startsWith('.')) && expression.test(name))
    .filter(name => last || directoryAt(tree, viewer, place(under(name))))
    .map(under)
}

function directoryAt(tree: FileTree, viewer: Viewer, path: Bytes): boolean {
  return tree.lookup(path, viewer)?.type === 'directory'
}
