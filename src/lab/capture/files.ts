import {
  answers as answered,
  folders,
  links,
  livePaths,
  programFolders,
  programNames,
  textFiles,
  writtenFiles,
} from './catalogue.js'
import { linesOf, wordOf } from './probe.js'
import { captured, type Fact, type Subject } from './subject.js'

const usualMode = '644'
const longestText = 65_536

/** The guest's files, by path: texts as they were, and names for what the emulator makes; `null` where there is none. */
export function filesOf({ answers, scrub }: Subject): Record<string, Fact | null> {
  const there = new Set(linesOf(answers, 'there'))
  const modes = new Map(
    linesOf(answers, 'modes').map(line => {
      const [mode = '', path = ''] = line.split(' ')
      return [path, mode.padStart(3, '0')]
    }),
  )
  const modeOf = (path: string, usual: string = usualMode): Record<string, string> => {
    const mode = modes.get(path)
    return mode === undefined || mode === usual ? {} : { mode: mode.padStart(4, '0') }
  }
  const found: Record<string, Fact | null> = {}
  for (const line of linesOf(answers, 'links')) {
    const [path = '', target = ''] = line.split(' ')
    if (links.includes(path) && /^[\w/.-]+$/.test(target)) {
      found[path] = captured({ link: target })
      found[path.replace(/^\//, '/usr/')] = captured({ directory: true })
    }
  }
  for (const path of folders.filter(path => there.has(path))) {
    found[path] = captured({ directory: true, ...modeOf(path, '755') })
  }
  for (const path of textFiles) {
    const text = answers.get(`file ${path}`)
    if (text?.exit === 0 && isText(text.text)) {
      found[path] = captured({ text: scrub(text.text), ...modeOf(path) })
    }
  }
  for (const path of writtenFiles.filter(path => there.has(path))) {
    found[path] = captured({ text: '', ...modeOf(path) })
  }
  const hasLists = answers.get('topology')?.exit === 0
  for (const [path, { kind, name }] of Object.entries(livePaths)) {
    const kept = kind === 'live' ? modeOf(path, '444') : {}
    const maker = name === 'cpus' && !hasLists ? 'cpus-2.6.18' : name
    const isWritable = kept.mode === '0644'
    found[path] = there.has(path) ? captured({ [kind]: maker, ...(isWritable ? {} : kept) }) : null
  }
  return sorted(found)
}

/** Answers of whole commands that the guest gave. */
export function commandsOf({ answers, scrub }: Subject): Record<string, Fact> {
  const found: Record<string, Fact> = {}
  for (const line of answered) {
    const answer = answers.get(`command ${line}`)
    // 126 and 127 are the shell's own: there is no such program.
    if (answer === undefined || answer.exit >= 126 || !isText(answer.text)) {
      continue
    }
    const stderr = answers.get(`stderr ${line}`)?.text ?? ''
    found[line] = captured({
      stdout: scrub(answer.text),
      ...(stderr === '' || !isText(stderr) ? {} : { stderr: scrub(stderr) }),
      ...(answer.exit === 0 ? {} : { exit: answer.exit }),
    })
  }
  return found
}

/** Programs that the guest has, and those that it has in no folder. */
export function programsOf({ answers }: Subject): { programs: Fact[]; missing: Fact[] } {
  const linked = new Set(linesOf(answers, 'links').map(line => line.split(' ')[0]))
  const all = linesOf(answers, 'programs')
  const names = new Set(all.map(path => path.slice(path.lastIndexOf('/') + 1)))
  const paths = all.filter(path => !linked.has(path.slice(0, path.lastIndexOf('/'))))
  const absent = programNames
    .filter(name => !names.has(name))
    .flatMap(name => programFolders.map(folder => `${folder}/${name}`))
  return {
    programs: paths.length === 0 ? [] : [captured({ paths: paths.sort() })],
    missing: absent.length === 0 ? [] : [captured({ paths: absent.sort() })],
  }
}

/** The disk that the root file system is on, and what is empty after a boot. */
export function storageOf({ answers }: Subject): Fact {
  const mounts = linesOf(answers, 'mounts').map(line => line.split(' '))
  const [device = '', , filesystem = ''] = mounts.find(([, path]) => path === '/') ?? []
  const inMemory = mounts
    .filter(([, path, type]) => type === 'tmpfs' && folders.concat('/run', '/var/run').includes(path ?? ''))
    .map(([, path = '']) => path)
  const cleared = linesOf(answers, 'cleared')
    .map(line => line.trim().split(/\s+/)[1] ?? '')
    .filter(path => folders.includes(path))
  const freeKiB = Number(linesOf(answers, 'room').at(-1)?.trim().split(/\s+/)[3] ?? Number.NaN)
  return captured({
    clearedAtBoot: [...new Set([...inMemory, ...cleared])].sort(),
    device: diskOf(device),
    filesystem,
    // The emulator keeps disks in memory.
    roomMiB: Math.min(mostRoomMiB, Math.max(1, Math.floor(freeKiB / 1024))),
  })
}

const mostRoomMiB = 256

/** `vda` of `/dev/vda1`, `nvme0n1` of `/dev/nvme0n1p2`; names that say nothing of the disk stay. */
function diskOf(device: string): string {
  const name = device.slice(device.lastIndexOf('/') + 1)
  const match = /^((?:[shv]|xv)d[a-z]+)\d*$|^(nvme\d+n\d+|mmcblk\d+)(?:p\d+)?$/.exec(name)
  return match?.[1] ?? match?.[2] ?? name
}

/** Where root's shell is, and how `/bin/sh` behaves. */
export function shellOf({ answers, guest }: Subject): Fact {
  const login = linesOf(answers, 'users').find(line => line.startsWith(`${guest.login.user}:`))
  return captured({
    path: login?.split(':')[6] ?? '/bin/sh',
    flavour: /dash$/.test(wordOf(answers, 'sh')) ? 'dash' : 'bash',
    firstUid: Number(linesOf(answers, 'uid-min').at(0)?.trim() ?? '1000'),
  })
}

function isText(text: string): boolean {
  return text.length <= longestText && !/[^\t\n\x20-\x7e\u00a0-\ud7ff]/.test(text)
}

function sorted<T>(entries: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)))
}
