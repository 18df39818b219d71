import {
  answers,
  clocksourceSymbols,
  folders,
  links,
  livePaths,
  programFolders,
  programNames,
  textFiles,
  writtenFiles,
} from './catalogue.js'

/** What one question to the guest gave. */
export interface Answer {
  readonly text: string
  readonly exit: number
}

/** What a guest said, by question. */
export type Answers = ReadonlyMap<string, Answer>

/** More of one answer than this is not kept, in characters. */
const longestAnswer = 1_048_576

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/**
 * The POSIX shell text that asks a guest everything. Each answer stands between two lines with a mark that
 * the guest cannot know beforehand; it is run as root, and writes nothing.
 */
export function probeScript(mark: string): string {
  const every = [...textFiles, ...writtenFiles, ...folders, ...Object.keys(livePaths)]
  const paths = programFolders.flatMap(folder => programNames.map(name => `${folder}/${name}`))
  return [
    'LC_ALL=C; export LC_ALL; PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH',
    `gc() { gc_name=$1; shift; printf '%s begin %s\\n' ${mark} "$gc_name"; "$@" 2>/dev/null </dev/null;`,
    `printf '\\n%s end %s\\n' ${mark} "$?"; }`,
    // Functions, so that each may use the shell.
    `gc_links() { for l in ${links.join(' ')}; do [ ! -h "$l" ] || echo "$l $(readlink "$l")"; done; }`,
    'gc_there() { for p in "$@"; do [ ! -e "$p" ] || echo "$p"; done; }',
    'gc_able() { for p in "$@"; do if [ -f "$p" ] && [ -x "$p" ]; then echo "$p"; fi; done; }',
    'gc_log() { dmesg -r || dmesg -s 1048576 || dmesg; }',
    'gc_each() { for f in "$1"/*; do if [ -f "$f" ] && [ -r "$f" ]; then',
    `printf '%s=%s\\n' "\${f##*/}" "$(head -n 1 "$f")"; fi; done; }`,
    `gc_dmi() { for f in /sys/class/dmi/id/*; do n=\${f##*/}; [ -f "$f" ] || continue;`,
    `case $n in *_serial|*_uuid|*_asset_tag|modalias|uevent) echo "$n";; *) echo "$n=$(head -n 1 "$f")";; esac; done; }`,
    // A device that blocks is given five seconds.
    'gc_random() { dd if=/dev/random bs=16 count=1 2>/dev/null | wc -c & p=$!; n=0;',
    'while kill -0 $p && [ $n -lt 5 ]; do sleep 1; n=$((n+1)); done; kill $p; }',
    'gc_ps() { ps -ww -e -o pid= -o ppid= -o uid= -o args=; }',
    'gc_cleared() { cat /usr/lib/tmpfiles.d/*.conf /etc/tmpfiles.d/*.conf | grep "^[DR]!* */"; }',
    'gc_stderr() { "$@" 2>&1 >/dev/null; }',
    'gc who id -u',
    ...['s', 'n', 'r', 'v', 'm', 'p', 'i'].map(letter => `gc uname-${letter} uname -${letter}`),
    'gc self echo $$',
    'gc connection echo "$SSH_CONNECTION"',
    'gc proc-version cat /proc/version',
    'gc cmdline cat /proc/cmdline',
    'gc tainted cat /proc/sys/kernel/tainted',
    'gc entropy-available cat /proc/sys/kernel/random/entropy_avail',
    'gc entropy-pool cat /proc/sys/kernel/random/poolsize',
    'gc random gc_random',
    'gc cpuinfo cat /proc/cpuinfo',
    'gc meminfo cat /proc/meminfo',
    'gc modules cat /proc/modules',
    'gc mounts cat /proc/mounts',
    'gc room df -Pk /var/tmp',
    'gc cleared gc_cleared',
    'gc log gc_log',
    'gc processes gc_ps',
    'gc users cat /etc/passwd',
    'gc uid-min sed -n "s/^UID_MIN[[:space:]]*//p" /etc/login.defs',
    'gc sh readlink -f /bin/sh',
    'gc links gc_links',
    'gc clocksources cat /sys/devices/system/clocksource/clocksource0/available_clocksource',
    `gc symbols grep -E ${quote(` (${Object.keys(clocksourceSymbols).join('|')})$`)} /proc/kallsyms`,
    'gc topology cat /sys/devices/system/cpu/cpu0/topology/core_siblings_list',
    'gc dmi gc_dmi',
    'gc hypervisor gc_each /sys/hypervisor',
    'gc hypervisor-version gc_each /sys/hypervisor/version',
    'gc lscpu lscpu',
    'gc sshd sshd -T',
    `gc modes stat -L -c "%a %n" ${every.join(' ')}`,
    `gc there gc_there ${every.join(' ')}`,
    `gc programs gc_able ${paths.map(quote).join(' ')}`,
    ...textFiles.map(path => `gc ${quote(`file ${path}`)} cat ${path}`),
    ...answers.flatMap(line => [
      `gc ${quote(`command ${line}`)} ${line}`,
      `gc ${quote(`stderr ${line}`)} gc_stderr ${line}`,
    ]),
    `echo ${mark} all`,
  ].join('\n')
}

/** Reads what {@link probeScript} printed; `null` when its end is missing. The guest is not trusted: cut to size. */
export function readAnswers(text: string, mark: string): Answers | null {
  const answered = new Map<string, Answer>()
  if (!text.endsWith(`${mark} all\n`)) {
    return null
  }
  for (const part of `\n${text}`.split(`\n${mark} begin `).slice(1)) {
    const [name = ''] = part.split('\n', 1)
    const end = part.indexOf(`\n${mark} end `)
    const exit = Number(/^\d{1,3}/.exec(part.slice(end + mark.length + 6))?.[0] ?? Number.NaN)
    if (end < name.length || Number.isNaN(exit)) {
      return null
    }
    answered.set(name, { text: part.slice(name.length + 1, end).slice(0, longestAnswer), exit })
  }
  return answered
}

/** The answer to a question, or nothing where there was none. */
export function textOf(answered: Answers, question: string): string {
  const answer = answered.get(question)
  return answer?.exit === 0 ? answer.text : ''
}

/** The lines of an answer that hold anything. */
export function linesOf(answered: Answers, question: string): string[] {
  return (answered.get(question)?.text ?? '').split('\n').filter(line => line.trim() !== '')
}

/** The one word or line that was answered; empty where nothing was. */
export function wordOf(answered: Answers, question: string): string {
  return textOf(answered, question).trim()
}
