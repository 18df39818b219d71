/** What one command of a host's shell said. */
export interface Said {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command that is sent to a host and to its copy alike. `{vm}` and `{xml}` are filled in. */
export const comparedCommands: readonly string[] = [
  'virsh --version',
  'virsh version',
  'virsh uri',
  'virsh nodeinfo',
  'virsh define {xml}',
  'virsh list',
  'virsh list --all',
  'virsh dominfo {vm}',
  'virsh domuuid {vm}',
  'virsh domid {vm}',
  'virsh domname {vm}',
  'virsh domstate {vm}',
  'virsh domstate {vm} --reason',
  'virsh domblklist {vm}',
  'virsh domblklist {vm} --details',
  'virsh domiflist {vm}',
  'virsh domifaddr {vm}',
  'virsh snapshot-list {vm}',
  'virsh snapshot-create-as {vm} sealed',
  'virsh snapshot-list {vm}',
  'virsh snapshot-list {vm} --name',
  'virsh snapshot-info {vm} sealed',
  'virsh snapshot-info {vm} no-such-snapshot',
  'virsh snapshot-revert {vm} no-such-snapshot',
  'virsh undefine {vm}',
  'virsh shutdown {vm}',
  'virsh destroy {vm}',
  'virsh suspend {vm}',
  'virsh start {vm}',
  'virsh start {vm}',
  'virsh list --all',
  'virsh domstate {vm} --reason',
  'virsh dominfo {vm}',
  'virsh domid {vm}',
  'virsh suspend {vm}',
  'virsh domstate {vm} --reason',
  'virsh list',
  'virsh resume {vm}',
  'virsh resume {vm}',
  'virsh domifaddr {vm}',
  'virsh destroy {vm}',
  'virsh domstate {vm} --reason',
  'virsh snapshot-revert {vm} sealed',
  'virsh domstate {vm} --reason',
  'virsh snapshot-delete {vm} sealed',
  'virsh snapshot-delete {vm} sealed',
  'virsh domstate no-such-vm',
  'virsh dominfo no-such-vm',
  'virsh dumpxml no-such-vm',
  'virsh domblklist no-such-vm',
  'virsh domiflist no-such-vm',
  'virsh snapshot-list no-such-vm',
  'virsh start no-such-vm',
  'virsh no-such-command',
  'virsh domstate',
  'virsh domstate {vm} more',
  'virsh list --no-such-option',
  'virsh undefine {vm}',
  'virsh domstate {vm}',
]

/** Whether an answer is a list of machines, with some that are not ours: they make its columns wider. */
function isShared({ stdout }: Said, vm: string): boolean {
  const [heading = '', , ...rows] = stdout.split('\n')
  return /^ Id +Name +State$/.test(heading) && rows.some(row => row !== '' && nameIn(row) !== vm)
}

function nameIn(row: string): string | undefined {
  return row.trim().split(/ +/)[1]
}

/** Lines of an answer, without what is another at every moment: ids, times, the clock of a processor. */
function linesOf({ code, stdout, stderr }: Said, vm: string, narrows: boolean): string[] {
  const lines = stdout.split('\n')
  const ours = narrows ? lines.filter((line, at) => at < 2 || line === '' || nameIn(line) === vm) : lines
  return [
    ...ours
      // That QEMU runs as root is the tests' doing.
      .filter(line => !/^Messages: +tainted: /.test(line))
      .map(line => (narrows ? line.replace(/ +/g, ' ').replace(/-{3,}/, '---') : line))
      .map(line =>
        line
          .replace(/^(Id: +)\d+$/, '$1N')
          .replace(/^ \d+ +(?=\S+ +(?:running|paused))/, ' N ')
          .replace(/^\d+$/, 'N')
          .replace(/^(CPU time: +)[\d.]+s$/, '$1N')
          .replace(/^(CPU frequency: +)\d+ MHz$/, '$1N')
          .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}/, 'TIME'),
      ),
    ...stderr.split('\n').map(line => `stderr: ${line}`),
    `status: ${code}`,
  ]
}

/** Every line in which the copy's answer differs from the original's, in words. */
export function differingLines(command: string, original: Said, copy: Said, vm: string): string[] {
  const narrows = isShared(original, vm) || isShared(copy, vm)
  const lines = lineByLine(command, linesOf(original, vm, narrows), linesOf(copy, vm, narrows))
  return [...withoutStatus(command, original), ...lines]
}

/** An original that never said how a command ended is not a witness, though its copy said nothing either. */
export function withoutStatus(command: string, { code }: Said): string[] {
  return code === null ? [`${command}: the original gave no exit status`] : []
}

/** Every place at which two answers differ, in words. */
export function lineByLine(command: string, one: readonly string[], other: readonly string[]): string[] {
  return Array.from({ length: Math.max(one.length, other.length) }, (_, at) => at).flatMap(at =>
    one[at] === other[at]
      ? []
      : [`${command}, line ${at + 1}: original "${one[at] ?? ''}", copy "${other[at] ?? ''}"`],
  )
}
