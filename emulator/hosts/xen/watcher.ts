import { fromText } from '../../files/bytes.js'
import type { FileTree } from '../../files/tree.js'
import type { Ending } from '../hypervisor.js'

const folder = '/var/log/xen'
/** Older logs of a domain's watcher that are kept. */
const keptLogs = 9

/** What a shutdown of that reason is called (xen/include/public/sched.h) and what becomes of the domain. */
const endings: Readonly<Record<string, readonly string[] | undefined>> = {
  shutdown: [
    'Domain {id} has shut down, reason code 0 0x0',
    'Action for shutdown reason code 0 is destroy',
    'Domain {id} needs to be cleaned up: destroying the domain',
    'Done. Exiting now',
  ],
  saved: ['Domain {id} has shut down, reason code 2 0x2', 'Domain has suspended.', 'Done. Exiting now'],
  destroyed: ['Domain {id} has been destroyed.'],
}

/** A new log of the xl that waits for a domain's end. Older ones are numbered. */
export function beginLog(tree: FileTree, name: string, id: number, pid: number): void {
  const file = `${folder}/xl-${name}.log`
  for (let number = keptLogs; number >= 0; number--) {
    const from = number === 0 ? file : `${file}.${number}`
    const old = tree.lookup(fromText(from))
    if (old?.type === 'file') tree.install(fromText(`${file}.${number + 1}`), tree.read(fromText(from)))
  }
  tree.install(fromText(file), fromText(`Waiting for domain ${name} (domid ${id}) to die [pid ${pid}]\n`))
}

/** Writes down why a domain ended, if an xl waited for it. */
export function endLog(tree: FileTree, { name, id, reason }: Ending): void {
  const file = fromText(`${folder}/xl-${name}.log`)
  const lines = endings[reason]
  if (!lines || tree.lookup(file)?.type !== 'file') return
  const text = lines.map(line => `${line.replace('{id}', String(id))}\n`).join('')
  tree.install(file, tree.read(file) + fromText(text))
}

/** Writes down that a domain was ended to start anew. */
export function rebootLog(tree: FileTree, name: string, from: number, to: number, pid: number): void {
  const file = fromText(`${folder}/xl-${name}.log`)
  if (tree.lookup(file)?.type !== 'file') return
  const text = [
    `Domain ${from} has shut down, reason code 1 0x1`,
    'Action for shutdown reason code 1 is restart',
    `Domain ${from} needs to be cleaned up: destroying the domain`,
    'Done. Rebooting now',
    `Waiting for domain ${name} (domid ${to}) to die [pid ${pid}]`,
  ]
  tree.install(file, tree.read(file) + fromText(`${text.join('\n')}\n`))
}
