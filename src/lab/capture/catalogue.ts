/** Texts that do not change while a guest runs, and do not differ from one instance to the next. */
export const textFiles: readonly string[] = [
  '/etc/os-release',
  '/usr/lib/os-release',
  '/etc/redhat-release',
  '/etc/system-release',
  '/etc/SuSE-release',
  '/etc/debian_version',
  '/etc/lsb-release',
  '/proc/filesystems',
  '/proc/sys/kernel/dmesg_restrict',
  '/proc/sys/kernel/panic',
  '/proc/sys/kernel/panic_on_oops',
  '/proc/sys/kernel/pid_max',
  '/proc/sys/kernel/printk',
  '/sys/kernel/kexec_crash_loaded',
  '/sys/kernel/kexec_crash_size',
]

/** Files that programs write to and that cannot be read, or hold what was last written. */
export const writtenFiles: readonly string[] = ['/proc/sys/vm/drop_caches']

/** Folders that scripts look for, or write in. */
export const folders: readonly string[] = [
  '/dev/shm',
  '/root',
  '/run/systemd/system',
  '/tmp',
  '/var/log',
  '/var/tmp',
]

/** Links that lead scripts to programs. */
export const links: readonly string[] = ['/bin', '/sbin', '/lib', '/lib64']

/** How the emulator makes what differs from one instance to the next: the words of persona files. */
export interface Live {
  readonly kind: 'live' | 'tree' | 'device'
  readonly name: string
}

const live = (name: string): Live => ({ kind: 'live', name })
const tree = (name: string): Live => ({ kind: 'tree', name })
const device = (name: string): Live => ({ kind: 'device', name })

/** What is there on a guest or is not, but is never frozen. */
export const livePaths: Readonly<Record<string, Live>> = {
  '/dev/console': device('console'),
  '/dev/full': device('full'),
  '/dev/kmsg': device('kmsg'),
  '/dev/null': device('null'),
  '/dev/random': device('random'),
  '/dev/tty': device('tty'),
  '/dev/ttyS0': device('serial'),
  '/dev/urandom': device('urandom'),
  '/dev/zero': device('zero'),
  '/etc/group': live('group'),
  '/etc/machine-id': live('machine_id'),
  '/etc/passwd': live('passwd'),
  '/proc': tree('processes'),
  '/proc/cmdline': live('cmdline'),
  '/proc/cpuinfo': live('cpuinfo'),
  '/proc/loadavg': live('loadavg'),
  '/proc/meminfo': live('meminfo'),
  '/proc/modules': live('modules'),
  '/proc/mounts': live('mounts'),
  '/proc/partitions': live('partitions'),
  '/proc/stat': live('stat'),
  '/proc/sys/kernel/hostname': live('hostname'),
  '/proc/sys/kernel/osrelease': live('osrelease'),
  '/proc/sys/kernel/ostype': live('ostype'),
  '/proc/sys/kernel/random/boot_id': live('boot_id'),
  '/proc/sys/kernel/random/entropy_avail': live('entropy_avail'),
  '/proc/sys/kernel/random/poolsize': live('poolsize'),
  '/proc/sys/kernel/random/uuid': live('uuid'),
  '/proc/sys/kernel/tainted': live('tainted'),
  '/proc/sysrq-trigger': live('sysrq'),
  '/proc/timer_list': live('timer_list'),
  '/proc/uptime': live('uptime'),
  '/proc/version': live('version'),
  '/sys/block': tree('block'),
  '/sys/class/dmi/id': tree('dmi'),
  '/sys/class/net': tree('net'),
  '/sys/devices/system/clocksource/clocksource0/available_clocksource': live('available_clocksource'),
  '/sys/devices/system/clocksource/clocksource0/current_clocksource': live('current_clocksource'),
  '/sys/devices/system/cpu': tree('cpus'),
  '/sys/hypervisor': tree('hypervisor'),
}

/** Commands whose whole answer belongs to the product, whatever it runs on. */
export const answers: readonly string[] = [
  'getconf GNU_LIBC_VERSION',
  'getconf LONG_BIT',
  'systemctl --version',
  'lsb_release -s -i',
]

/** Folders in which programs are looked for. */
export const programFolders: readonly string[] = ['/bin', '/sbin', '/usr/bin', '/usr/sbin']

/** Programs that suites start, and those without which hardly a script gets far. */
export const programNames: readonly string[] = (
  'sh bash dash cat chgrp chmod chown cp cut date dd df dmesg echo egrep env false fgrep grep gunzip gzip hostname ' +
  'kill ln ls mkdir mknod mktemp mv ps pwd rm rmdir sed sleep sort sync tar touch true uname zcat [ awk base64 ' +
  'basename cksum cmp comm diff dirname du expand expr file find fold free getconf groups head id join logger ' +
  'md5sum mkfifo nice nl nohup od paste pgrep pkill printenv printf readlink seq setsid sha1sum sha256sum sha512sum ' +
  'split stat strings sudo tac tail taskset tee test tr tty uniq uptime wc which whoami xargs yes halt init lsmod ' +
  'poweroff reboot shutdown sysctl nproc lscpu timeout truncate flock ionice chrt realpath stdbuf arch systemctl ' +
  'journalctl dmidecode busybox perl python3 ip modprobe rmmod insmod mount umount lsblk blkid mkfs mkswap swapon ' +
  'udevadm systemd-detect-virt virt-what ethtool lspci hwclock telinit'
).split(' ')

/** Clock sources by the kernel's symbol for each, in the order in which it prefers them. */
export const clocksourceSymbols: Readonly<Record<string, string>> = {
  kvm_clock: 'kvm-clock',
  xen_clocksource: 'xen',
  hyperv_cs_tsc: 'hyperv_clocksource_tsc_page',
  clocksource_tsc: 'tsc',
  hyperv_cs_msr: 'hyperv_clocksource_msr',
  clocksource_hpet: 'hpet',
  clocksource_acpi_pm: 'acpi_pm',
  clocksource_jiffies: 'jiffies',
}

/** Values under /sys/class/dmi/id that tell one machine from another of its kind: named, never read. */
export const secretDmi: RegExp = /_(serial|uuid|asset_tag)$/
