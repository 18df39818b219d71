/**
 * Finding and killing processes of ours on a Linux machine, with what any of them has: a POSIX shell
 * and head, tr and sed, each started once however many processes run. `grep -l` over
 * `/proc/PID/environ` would be one program less, but busybox's grep sees nothing behind the first
 * NUL of a line. Sessions are looked at too: a shell's own children that were never exec'ed do not
 * carry the variable that it exported.
 */
import { InternalError } from '../../config/errors.js'
import { quote } from './quote.js'
import { markVariable } from './wrap.js'

/** Which processes are meant. */
export interface SweepTarget {
  /** Marks that are equal to this, or begin with it and a `/`. */
  readonly mark: string | null
  /** Processes of this session, and the group of this leader. */
  readonly session?: number
}

/** What a sweep found. */
export interface Swept {
  readonly killed: number
  /** Processes that did not go away. */
  readonly left: readonly number[]
}

/** Rounds of finding and killing. From the third on a second passes between them. */
const rounds = 12
const answerWord = 'gc-swept'
/** What is read of a process's environment, in bytes. */
const longestEnvironment = 4_194_304
const markPattern = /^[A-Za-z0-9._/@+:-]+$/

/** Refuses marks that a shell or a pattern would read otherwise than they are meant. Throws InternalError. */
export function checkMark(mark: string): string {
  if (!markPattern.test(mark)) {
    throw new InternalError(`"${mark}" cannot mark processes: use letters, digits and ._/@+:-`)
  }
  return mark.replace(/\/+$/, '')
}

/**
 * A POSIX shell text that kills the processes meant, again and again until none is found, and prints
 * one line for {@link parseSweep}. The shell that does it carries no mark, and spares its ancestors: a
 * daemon that a marked command started anew carries the mark, and may be the very sshd that serves us.
 */
export function sweepCommand(target: SweepTarget): string {
  return `(unset ${markVariable};exec /bin/sh -c ${quote(sweepScript(target))})`
}

/** The text of the shell that sweeps. */
function sweepScript({ mark, session }: SweepTarget): string {
  const marked = mark === null ? [] : [findMarked(checkMark(mark))]
  const inSession = session === undefined ? [] : [findSession(session)]
  return [
    'LC_ALL=C;export LC_ALL',
    ...(session === undefined ? [] : [`kill -9 -${session} 2>/dev/null`]),
    "up=' ';p=$$",
    'while [ "$p" -gt 1 ] 2>/dev/null && [ -r "/proc/$p/status" ];do',
    '  up="$up$p ";q=',
    '  while read -r k v x;do case $k in PPid:)q=$v;break;;esac;done <"/proc/$p/status"',
    '  p=$q',
    'done',
    'find_ours(){',
    ...[...marked, ...inSession].map(line => `  ${line}`),
    '  :',
    '}',
    "n=0;all=' ';round=0",
    'while :;do',
    '  left=',
    '  for p in $(find_ours);do case "$up$left " in *" $p "*);;*)left="$left $p";;esac;done',
    `  [ -n "$left" ] && [ "$round" -lt ${rounds} ] || break`,
    '  kill -9 $left 2>/dev/null',
    '  for p in $left;do case $all in *" $p "*);;*)all="$all$p ";n=$((n+1));;esac;done',
    '  round=$((round+1));[ "$round" -lt 3 ] || sleep 1',
    'done',
    `if [ -r "/proc/$$/environ" ]&&command -v cat >/dev/null&&command -v tr >/dev/null&&command -v sed >/dev/null;then echo "${answerWord} $n$left";else echo "${answerWord} blind";fi`,
  ].join('\n')
}

/** Reads what {@link sweepCommand} printed; `null` when it could not look at the processes, or never ended. */
export function parseSweep(stdout: string): Swept | null {
  const match = new RegExp(`^${answerWord} (\\d+)((?: \\d+)*)$`, 'm').exec(stdout)
  if (match === null) {
    return null
  }
  const left = (match[2] ?? '').split(' ').filter(text => text !== '')
  return { killed: Number(match[1]), left: left.map(Number) }
}

/**
 * `head` puts the name of each file before its text, where there is one; else the shell does, with a `cat` for each.
 * `sed` prints the last name when a mark follows. Its patterns stand between slashes: not every sed takes another
 * character for an address.
 */
function findMarked(mark: string): string {
  const pattern = mark.replaceAll('.', '[.]').replaceAll('+', '[+]').replaceAll('/', '\\/')
  return [
    `if command -v head >/dev/null 2>&1;then head -c ${longestEnvironment} /proc/[0-9]*/environ 2>/dev/null;else for f in /proc/[0-9]*/environ;do echo "==> $f <==";cat "$f" 2>/dev/null;echo;done;fi`,
    "tr '\\000' '\\012'",
    `sed -n -e '/^==> \\/proc\\/[0-9]*\\/environ <==$/{s/[^0-9]//g;h;}' -e '/^${markVariable}=${pattern}\\(\\/.*\\)*$/{g;p;}'`,
  ].join('|')
}

/** The fields of `/proc/PID/stat` are in proc(5): state, parent, group, session. The dead are passed over. */
function findSession(session: number): string {
  const fields = `s/^\\([0-9]*\\) (.*) [^ZX] -*[0-9]* -*[0-9]* ${session} .*/\\1/p`
  return `cat /proc/[0-9]*/stat 2>/dev/null|sed -n '${fields}'`
}
