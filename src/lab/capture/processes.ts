import type { Scrub } from '../../text/scrub.js'
import { type Answers, linesOf, wordOf } from './probe.js'

/** A process that runs when nobody is logged in. */
export interface SeatedProcess {
  readonly pid: number
  readonly ppid: number
  readonly user: string
  readonly args: string
}

interface Listed extends Omit<SeatedProcess, 'user'> {
  readonly uid: number
}

const mostProcesses = 400
const longestCommand = 300
/** Users of the system, whose names are the product's own; those above are people. */
const mostSystemUid = 999

/** What ran on the guest but for our own session and the processes of people. */
export function readProcesses(answered: Answers, scrub: Scrub): SeatedProcess[] {
  const all = linesOf(answered, 'processes').flatMap(readLine)
  const users = readUsers(answered)
  const left = descendants(all, sessionOf(all, Number(wordOf(answered, 'self'))))
  return all
    .filter(({ pid, uid, args }) => !left.has(pid) && uid <= mostSystemUid && !isOfLogins(args))
    .slice(0, mostProcesses)
    .map(({ pid, ppid, uid, args }) => ({ pid, ppid, user: users.get(uid) ?? 'root', args: scrub(args) }))
}

/** Managers that systemd starts for whoever logs in, and workers that come and go. */
function isOfLogins(args: string): boolean {
  return /systemd --user\b|^\(sd-pam\)|^sshd: \S+@|^\[kworker\/.*\]$/.test(args)
}

function readLine(line: string): Listed[] {
  const match = /^ *(\d+) +(\d+) +(\d+) (.+)$/.exec(line)
  const [, pid = '', ppid = '', uid = '', args = ''] = match ?? []
  const clean = args
    .replace(/[^\x20-\x7e]/g, ' ')
    .trim()
    .slice(0, longestCommand)
  return match === null || clean === ''
    ? []
    : [{ pid: Number(pid), ppid: Number(ppid), uid: Number(uid), args: clean }]
}

function readUsers(answered: Answers): Map<number, string> {
  const pairs = linesOf(answered, 'users').map(line => line.split(':'))
  return new Map(pairs.map(([name = '', , uid = '']) => [Number(uid), name]))
}

/** The highest of our own ancestors below the server that let us in, which is a child of init. */
function sessionOf(all: readonly Listed[], self: number): number {
  const byPid = new Map(all.map(process => [process.pid, process]))
  let pid = self
  for (let steps = 0; steps < all.length; steps += 1) {
    const parent = byPid.get(byPid.get(pid)?.ppid ?? 0)
    if (parent === undefined || parent.ppid <= 1) {
      return pid
    }
    pid = parent.pid
  }
  return self
}

function descendants(all: readonly Listed[], root: number): Set<number> {
  const found = new Set([root])
  for (let before = 0; before !== found.size; ) {
    before = found.size
    for (const { pid, ppid } of all) {
      if (found.has(ppid)) {
        found.add(pid)
      }
    }
  }
  return found
}
