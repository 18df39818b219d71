import type { Node } from '../files/nodes.js'
import type { Call } from '../system/programs.js'

const typeLetters: Readonly<Record<Node['type'], string>> = {
  file: '-',
  live: '-',
  directory: 'd',
  link: 'l',
  char: 'c',
  block: 'b',
}

/** The mode as `ls -l` shows it. */
export function modeText(node: Node): string {
  const letters = ['r', 'w', 'x']
  let text = ''
  for (let bit = 8; bit >= 0; bit--) text += (node.mode >> bit) & 1 ? (letters[(8 - bit) % 3] ?? '') : '-'
  const set = (at: number, on: boolean, letter: string): void => {
    if (on) text = text.slice(0, at) + (text[at] === 'x' ? letter : letter.toUpperCase()) + text.slice(at + 1)
  }
  set(2, (node.mode & 0o4000) !== 0, 's')
  set(5, (node.mode & 0o2000) !== 0, 's')
  set(8, (node.mode & 0o1000) !== 0, 't')
  return typeLetters[node.type] + text
}

/** The size that `ls` and `stat` show. */
export function bytesOf(node: Node, call: Call): number {
  if (node.type === 'file') return node.data.length
  if (node.type === 'link')
    return (typeof node.target === 'string' ? node.target : node.target(call.process)).length
  return node.type === 'directory' || node.type === 'live' ? 4096 : 0
}

/** The name of a user, or the number of one who has none. */
export function owner(call: Call, uid: number): string {
  return call.system.accounts.find(account => account.uid === uid)?.name ?? String(uid)
}

/** The name of a group, or its number. */
export function group(call: Call, gid: number): string {
  return call.system.accounts.find(account => account.gid === gid)?.group ?? String(gid)
}

/** How many names a node has. */
export function links(node: Node): number {
  return node.type === 'file' ? node.links : node.type === 'directory' ? 2 : 1
}

/** Whether it is a device, with numbers. */
export function isDevice(node: Node): node is Extract<Node, { type: 'char' | 'block' }> {
  return node.type === 'char' || node.type === 'block'
}
