import { formatSize } from '../config/units.js'

/** A folder of a guest that can be written to. */
export interface Room {
  readonly folder: string
  /** `null` where nothing tells it. */
  readonly freeBytes: number | null
  /** Whether programs that lie there can be started: a mount with `noexec` has none. */
  readonly executes: boolean
}

/** Where a guest's files can go, and what can put them there. */
export interface RoomLook {
  readonly rooms: readonly Room[]
  /** Programs that unpack, of `tar` and `printf`. */
  readonly tools: ReadonlySet<string>
}

/** Where a guest's files go unless it is poor. */
export const usualFolder = '/var/tmp'
/** Looked at in this order: the first is on a disk, the last ones take memory. */
const candidates = [usualFolder, '/tmp', '"$HOME"', '/run', '/dev/shm'] as const
const [roomWord, toolWord] = ['gc-room', 'gc-tool']

/** A POSIX shell text that prints where files can go, one folder a line, and with what. It leaves nothing behind. */
export const roomCommand: string = [
  `for gc_d in ${candidates.join(' ')};do`,
  '  case $gc_d in /?*);;*)continue;;esac',
  '  gc_t=$gc_d/.guestcert-room.$$',
  `  (umask 077;echo '#!/bin/sh' >"$gc_t") 2>/dev/null||continue`,
  '  gc_x=no;chmod 700 "$gc_t" 2>/dev/null&&"$gc_t" >/dev/null 2>&1&&gc_x=yes',
  '  rm -f "$gc_t"',
  // The word before the first percentage: the header has "Capacity" there.
  '  gc_k=;for gc_w in $(df -Pk "$gc_d" 2>/dev/null);do case $gc_w in [0-9]*%)break;;esac;gc_k=$gc_w;done',
  `  echo "${roomWord} $gc_x \${gc_k:-?} $gc_d"`,
  'done',
  `for gc_w in tar printf;do command -v "$gc_w" >/dev/null 2>&1&&echo "${toolWord} $gc_w";done;:`,
].join('\n')

/** Reads what {@link roomCommand} printed. The guest is not trusted: only what has the right form counts. */
export function parseRooms(text: string): RoomLook {
  const rooms = [
    ...text.matchAll(new RegExp(`^${roomWord} (yes|no) (\\d{1,18}|\\?|\\S{1,40}) (/.{1,200})$`, 'gm')),
  ].map(([, executes, kib = '', folder = '']) => ({
    folder,
    freeBytes: /^\d+$/.test(kib) ? Number(kib) * 1024 : null,
    executes: executes === 'yes',
  }))
  const tools = [...text.matchAll(new RegExp(`^${toolWord} (tar|printf)$`, 'gm'))].map(
    ([, tool = '']) => tool,
  )
  return { rooms, tools: new Set(tools) }
}

/** The first folder with that much room, and of these rather one where programs can be started; `null` for none. */
export function chooseRoom(rooms: readonly Room[], wantedBytes: number): Room | null {
  const large = rooms.filter(({ freeBytes }) => freeBytes === null || freeBytes >= wantedBytes)
  return large.find(({ executes }) => executes) ?? large[0] ?? null
}

/** What was found, for a message. */
export function describeRooms(rooms: readonly Room[]): string {
  return rooms.length === 0
    ? 'no folder can be written to'
    : rooms
        .map(
          ({ folder, freeBytes }) =>
            `${freeBytes === null ? 'unknown room' : formatSize(freeBytes)} in ${folder}`,
        )
        .join(', ')
}
