import { randomBytes } from 'node:crypto'
import { SystemError } from '../files/errno.js'
import type { DeviceNode } from '../files/nodes.js'
import type { FileHandle } from '../files/open-file.js'
import type { Blocks } from '../hardware/blocks.js'
import type { LiveContext } from './context.js'

/** Waits for ever, or until the process is ended. */
function never(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** One read of a device gives this much at most, in bytes. */
const readBytes = 16_777_216

function random(context: LiveContext, blocking: boolean): FileHandle {
  const { random: flow } = context.persona.entropy
  let given = 0
  return {
    kind: 'char',
    read: (max, signal) => {
      if (blocking && flow === 'blocks') return never(signal)
      if (blocking && flow === 'short') {
        const part = randomBytes(Math.min(max, Math.max(0, 8 - given)))
        given += part.length
        return part.length > 0 ? part : never(signal)
      }
      // Kernels hand out urandom in pieces of 32 MiB, and /dev/random in less.
      return randomBytes(Math.min(max, readBytes))
    },
    write: () => {},
  }
}

/** Disks whose size nothing says. */
const blankBytes = 8 * 1024 ** 3

function serialPort({ system }: LiveContext): FileHandle {
  return {
    kind: 'char',
    write: data => system.serial.write(data.toString('latin1')),
    read: () => Buffer.alloc(0),
  }
}

interface Device {
  readonly type: DeviceNode['type']
  readonly major: number
  readonly minor: number
  readonly mode: number
  open(context: LiveContext): FileHandle
}

function char(major: number, minor: number, mode: number, open: Device['open']): Device {
  return { type: 'char', major, minor, mode, open }
}

const devices: Readonly<Record<string, Device>> = {
  null: char(1, 3, 0o666, () => ({
    kind: 'char',
    read: () => Buffer.alloc(0),
    write: () => {},
    seek: () => {},
  })),
  zero: char(1, 5, 0o666, () => ({
    kind: 'char',
    read: max => Buffer.alloc(Math.min(max, readBytes)),
    write: () => {},
    seek: () => {},
  })),
  full: char(1, 7, 0o666, () => ({
    kind: 'char',
    read: max => Buffer.alloc(Math.min(max, readBytes)),
    write: () => {
      throw new SystemError('ENOSPC', '/dev/full', 'write')
    },
  })),
  random: char(1, 8, 0o666, context => random(context, true)),
  urandom: char(1, 9, 0o666, context => random(context, false)),
  tty: char(5, 0, 0o666, () => {
    throw new SystemError('ENXIO', '/dev/tty')
  }),
  console: char(5, 1, 0o600, serialPort),
  kmsg: char(1, 11, 0o644, ({ system }) => ({
    kind: 'char',
    write: data => {
      const [, level = '4', text = ''] = /^(?:<(\d)>)?([\s\S]*?)\n?$/.exec(data.toString('latin1')) ?? []
      system.log.add(text, Number(system.clock.uptimeNs()) / 1e9, Number(level))
    },
    read: () => Buffer.alloc(0),
  })),
  serial: char(4, 64, 0o660, serialPort),
  disk: { type: 'block', major: 8, minor: 0, mode: 0o660, open: () => diskHandle(blankBytes, undefined) },
}

/** A disk; without blocks it holds nothing, and what is written to it is dropped. */
export function diskHandle(bytes: number, blocks: Blocks | undefined): FileHandle {
  let offset = 0
  return {
    kind: 'block',
    read: max => {
      const count = Math.max(0, Math.min(max, readBytes, bytes - offset))
      const part = blocks?.read(offset, count) ?? Buffer.alloc(count)
      offset += part.length
      return part
    },
    write: data => {
      const fits = offset + data.length <= bytes
      if (!fits || blocks?.write(offset, data) === false) throw new SystemError('ENOSPC', '', 'write')
      offset += data.length
    },
    seek: to => {
      offset = to
    },
  }
}

/** The device of that name as a node, or undefined. */
export function deviceNode(name: string, context: LiveContext): DeviceNode | undefined {
  const device = devices[name]
  return (
    device &&
    context.system.tree.makeDevice(device.type, device.major, device.minor, device.mode, () =>
      device.open(context),
    )
  )
}
