import { lineByLine, type Said, withoutStatus } from './host-twins.js'

/** What an answer may differ in: what is found becomes another text, or its line is passed over. */
export interface MaskRule {
  readonly name: string
  readonly find: RegExp
  readonly by: string | null
}

/** A line that is sent to a Xen host and to its copy alike. `{vm}` and `{cfg}` are filled in. */
export const comparedXlCommands: readonly string[] = [
  'xl info',
  'xl list',
  'xl list -l',
  'xl list -v',
  'xl list -n',
  'xl list -Z',
  'xl list -c',
  'xl vm-list',
  'xl uptime',
  'xl domid Domain-0',
  'xl domname 0',
  'xl vcpu-list Domain-0',
  // Words that are wrong, and domains that are not there.
  'xl no-such-verb',
  'xl list no-such',
  'xl list 99',
  'xl list a b',
  'xl list -x',
  'xl list --nope',
  'xl list -h',
  'xl help pause',
  'xl help no-such',
  ...['no-such', '99'].flatMap(word =>
    [
      'destroy W',
      'shutdown W',
      'reboot W',
      'pause W',
      'unpause W',
      'save W /tmp/f',
      'vcpu-list W',
      'vcpu-set W 1',
      'mem-set W 100m',
      'mem-max W 100m',
      'block-attach W /tmp/a,raw,xvdb,rw',
      'block-list W',
      'block-detach W xvdb',
      'network-attach W bridge=xenbr0',
      'network-list W',
      'network-detach W 1',
      'trigger W nmi',
      'sysrq W s',
      'rename W other',
      'uptime W',
      'domname W',
      'domid W',
    ].map(line => `xl ${line.replace('W', word)}`),
  ),
  ...(
    'create destroy shutdown reboot pause unpause save restore vcpu-set mem-set mem-max block-attach block-list ' +
    'block-detach network-attach network-list network-detach trigger sysrq rename domname domid'
  )
    .split(' ')
    .map(verb => `xl ${verb}`),
  'xl destroy 0',
  'xl pause 0',
  'xl domname abc',
  'xl shutdown -x {vm}',
  'xl restore /tmp/no-such',
  'xl restore /etc/os-release',
  // Configurations that are no good.
  'xl create /etc/xen/no-such.cfg',
  'xl create /tmp',
  'xl create a b c',
  ...[
    ['name = "bad', 'memory = = 3'],
    ['name = "bad"', "disk = [ 'a',"],
    ['memory = 3'],
    ['name = "bad"'],
    ['name = "bad"', 'type = "strange"'],
    ['name = "bad"', 'kernel = "/etc/os-release"', 'disk = [ "/tmp/extra.raw" ]'],
    ['name = "bad"', 'kernel = "/etc/os-release"', 'disk = [ "vdev=xvdb" ]'],
    [
      'name = "bad"',
      'kernel = "/etc/os-release"',
      'disk = [ "format=foo,vdev=xvdb,target=/etc/os-release" ]',
    ],
    [
      'name = "bad"',
      'kernel = "/etc/os-release"',
      'disk = [ "nonsense=3,vdev=xvda,target=/etc/os-release" ]',
    ],
    [
      'name = "bad"',
      'kernel = "/etc/os-release"',
      'disk = [ "format=raw,vdev=xvda,access=zz,target=/etc/os-release" ]',
    ],
    [
      'name = "bad"',
      'kernel = "/etc/os-release"',
      'memory = 64',
      'disk = [ "format=raw,vdev=xvda,target=/no-such" ]',
    ],
    ['name = "bad"', 'kernel = "/no-such"', 'memory = 64'],
    ['name = "bad"', 'kernel = "/etc/os-release"', 'memory = 64', 'maxvcpus = 1', 'vcpus = 2'],
    ['name = "bad"', 'kernel = "/etc/os-release"', 'memory = 64', 'on_reboot = "whatever"'],
    ['name = "bad"', 'uuid = "zz"'],
    ['x'],
    ['x ='],
    ['x = (1)'],
    ['x = 1 + 2'],
    ['x = "a" "b"'],
    ['x = [ "a" "b" ]'],
    ['import os'],
  ].map(
    lines =>
      `printf '%s\\n' ${lines.map(line => `'${line.replaceAll("'", `'\\''`)}'`).join(' ')} >/tmp/twin.cfg; xl create /tmp/twin.cfg`,
  ),
  'xl create -n {cfg}',
  // A domain's life.
  'xl create {cfg}',
  'xl create {cfg}',
  'xl list {vm}',
  'xl domid {vm}',
  'xl list -l {vm}',
  'xl list -v {vm}',
  'xl vcpu-list {vm}',
  'xl uptime {vm}',
  '{up}',
  'xl unpause {vm}',
  'xl list {vm}',
  'xl block-list {vm}',
  'xl network-list {vm}',
  'xl pause {vm}',
  'xl pause {vm}',
  'xl list {vm}',
  'xl unpause {vm}',
  'xl list {vm}',
  'xl unpause {vm}',
  'xl vcpu-set {vm} 1',
  'xl vcpu-set {vm} 2',
  'xl vcpu-set {vm} 0',
  'xl vcpu-set {vm} abc',
  'xl mem-set {vm} 300',
  'xl mem-set {vm} abc',
  'xl mem-max {vm} abc',
  'xl mem-max {vm} 300',
  'xl save {vm} /no/such/folder',
  'xl save {vm} /tmp',
  'xl save -c {vm} /tmp/{vm}.save',
  'xl list {vm}',
  'xl save -p {vm} /tmp/{vm}.save',
  'xl list {vm}',
  'xl unpause {vm}',
  'xl save {vm} /tmp/{vm}.save',
  'xl list',
  '{settled}',
  'cat /var/log/xen/xl-{vm}.log',
  'xl restore /tmp/{vm}.save',
  'xl list',
  'xl restore /tmp/{vm}.save',
  'xl list -l {vm}',
  'cat /var/log/xen/xl-{vm}.log',
  'rm /tmp/{vm}.save',
  'truncate -s 64M /tmp/extra.raw',
  'xl block-attach {vm} format=raw,vdev=xvdb,access=rw,target=/tmp/extra.raw',
  'xl block-list {vm}',
  'xl block-attach {vm} format=raw,vdev=xvdb,access=rw,target=/tmp/extra.raw',
  'xl block-attach {vm} /tmp/extra.raw,raw,xvdd,ro',
  'xl block-attach {vm} file:/tmp/extra.raw,xvdc,w',
  'xl block-attach {vm} /tmp/no-such.raw,raw,xvde,rw',
  'xl block-attach {vm} /tmp/extra.raw,foo,xvde,rw',
  'xl block-attach {vm} nonsense',
  'xl block-attach {vm} phy:/dev/no-such,xvdf,w',
  'xl list -l {vm}',
  'xl block-detach {vm} xvdb',
  'xl block-detach {vm} xvdb',
  'xl block-detach {vm} xvdz',
  'xl block-detach {vm} nonsense',
  'xl block-detach {vm} xvdc',
  'xl block-detach {vm} xvdd',
  'xl block-list {vm}',
  'xl network-attach {vm} bridge=xenbr0 mac=00:16:3e:00:00:20',
  'xl network-list {vm}',
  'xl network-attach {vm} nonsense=3',
  'xl network-attach {vm} mac=zz',
  'xl network-detach {vm} 1',
  'xl network-detach {vm} 1',
  'xl network-detach {vm} 00:16:3e:00:00:99',
  'xl network-list {vm}',
  'xl rename {vm} other-name',
  'xl list other-name',
  'xl rename other-name {vm}',
  'xl rename {vm} Domain-0',
  'xl trigger {vm} reset',
  'xl trigger {vm} power',
  'xl trigger {vm} s3resume',
  'xl trigger {vm} nonsense',
  'xl sysrq {vm} h',
  '{up}',
  'xl shutdown -w {vm}',
  '{gone}',
  '{settled}',
  'xl list',
  'cat /var/log/xen/xl-{vm}.log',
  'xl create -q {cfg}',
  'xl destroy {vm}',
  'xl destroy {vm}',
  '{settled}',
  'cat /var/log/xen/xl-{vm}.log',
  'xl list',
]

/** What cannot be the same on a host and on its copy, by name: each rule takes away no more than that. */
export const xlMasks: readonly MaskRule[] = [
  {
    name: 'the kernel of the first domain is the machine’s',
    find: /^((?:host|release|version) +: ).*$/,
    by: '$1N',
  },
  { name: 'a processor’s clock wavers', find: /^(cpu_mhz +: \d+)\.\d+$/, by: '$1' },
  { name: 'what Xen keeps for itself is taken from what is free', find: /^(free_memory +: )\d+$/, by: '$1N' },
  {
    name: 'numbers of domains, the time they ran, and whether they run or wait just now',
    find: /^(\S+) +\d+( +\d+ +\d+ +)(?:r-----|-b----|------) +[\d.]+/,
    by: '$1 N$2RUNS N',
  },
  {
    name: 'numbers of domains that do not run, and the time they ran',
    find: /^(\S+) +\d+( +\d+ +\d+ +--[p-][s-][c-][d-]) +[\d.]+/,
    by: '$1 N$2 N',
  },
  {
    name: 'numbers of domains, their vCPUs’ time and place',
    find: /^(\S+) +\d+( +\d+) +(?:\d+|-) +(?:---|r--|-b-) +[\d.]+( +all)/,
    by: '$1 N$2 N$3',
  },
  {
    name: 'numbers of domains and how long they are up',
    find: /^(\S+) +\d+ +(?:\d+ days, +)?\d+:\d\d:\d\d$/,
    by: '$1 N N',
  },
  { name: 'a number alone', find: /^\d+$/, by: 'N' },
  { name: 'numbers of domains in messages', find: /([Dd]omain |Dom |\(domid |domid=|domid )\d+/g, by: '$1N' },
  { name: 'numbers of domains in JSON', find: /^( +"domid": )\d+/, by: '$1N' },
  { name: 'numbers of domains in a list of UUIDs', find: /^([0-9a-f-]{36} +)\d+ +/, by: '$1N ' },
  { name: 'numbers of domains in paths', find: /\/(backend\/v[bi][df]|libxl)\/\d+/g, by: '/$1/N' },
  {
    name: 'numbers of domains, events and rings of disks',
    find: /^(\d+ +0 +)\d+ +(\d+) +-?\d+ +-?\d+ +/,
    by: '$1N $2 N N ',
  },
  { name: 'rings of cards', find: / +-?\d+\/-?\d+ +(?=\/local)/, by: ' N/N ' },
  { name: 'numbers of processes', find: /\[(?:pid )?\d+\]/g, by: '[N]' },
  { name: 'how far a save has come', find: /^stderr: xc: progress: Frames: .*(?<!100%)$/, by: null },
  {
    name: 'the size of the configuration in a saved domain',
    find: /\(((?:new xl fmt )?info 0x3\/0x0\/)\d+\)/,
    by: '($1N)',
  },
  { name: 'places of memory', find: /mfn 0x[0-9a-f]+/, by: 'mfn N' },
]

/** Every line in which the copy's answer differs from the original's, in words. */
export function differingXlLines(command: string, original: Said, copy: Said): string[] {
  return [...withoutStatus(command, original), ...lineByLine(command, masked(original), masked(copy))]
}

function masked({ code, stdout, stderr }: Said): string[] {
  const lines = [
    ...stdout.split('\n'),
    ...stderr.split('\n').map(line => `stderr: ${line}`),
    `status: ${code}`,
  ]
  return lines.flatMap(line => {
    let text = line
    for (const { find, by } of xlMasks) {
      if (by !== null) {
        text = text.replace(find, by)
      } else if (find.test(text)) {
        return []
      }
    }
    return [text]
  })
}
