import { SystemError } from '../files/errno.js'
import type { RegularNode } from '../files/nodes.js'
import type { FileTree } from '../files/tree.js'
import { at, elements, text, type Xml } from './xml.js'

/** Where a host writes what its guests say on their serial ports. */
export interface ConsoleRules {
  /** Since libvirt 1.3.3 a port may be logged beside what it is connected to. */
  readonly hasLogs: boolean
  /** Of Xen: xenconsoled writes the console of each paravirtual guest down, when it is started with `--log=guest`. */
  readonly isXen: boolean
}

interface ConsoleFile {
  readonly path: string
  readonly appends: boolean
}

const xenFolder = '/var/log/xen/console'

/** The files that the console of a domain is written to, as its XML says. */
function consoleFiles(xml: Xml, { hasLogs, isXen }: ConsoleRules): ConsoleFile[] {
  const devices = at(xml, 'devices')
  // The first console of a machine with a serial port is that port.
  const [port] = [...elements(devices, 'serial'), ...elements(devices, 'console')]
  const log = hasLogs ? at(port, 'log')?.attributes : undefined
  const source = port?.attributes.type === 'file' ? at(port, 'source')?.attributes : undefined
  const named = [
    ...(source?.path === undefined ? [] : [{ path: source.path, appends: source.append === 'on' }]),
    ...(log?.file === undefined ? [] : [{ path: log.file, appends: log.append === 'on' }]),
  ]
  const isPv = text(xml, 'os', 'type') !== 'hvm'
  return isXen && isPv
    ? [...named, { path: `${xenFolder}/guest-${text(xml, 'name')}.log`, appends: true }]
    : named
}

/** Opens the files of a machine that starts, and gives what writes to them. What has no room is lost. */
export function openConsole(tree: FileTree, xml: Xml, rules: ConsoleRules): (text: string) => void {
  const nodes = consoleFiles(xml, rules).flatMap(file => openFile(tree, file) ?? [])
  return text => {
    for (const node of nodes) {
      tolerant(() => node.data.writeAt(node.data.length, Buffer.from(text, 'latin1')))
      tree.touch(node)
    }
  }
}

function openFile(tree: FileTree, { path, appends }: ConsoleFile): RegularNode | undefined {
  const known = tree.lookup(path)
  if (known?.type === 'file') {
    if (!appends) known.data.truncate(0)
    return known
  }
  return known ? undefined : tolerant(() => tree.install(path, '', 0o600))
}

function tolerant<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    return undefined
  }
}
