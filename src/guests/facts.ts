import { emulatedMark } from '../config/emulated-mark.js'

const maxFacts = 64
const maxFactLength = 300

/**
 * A POSIX shell text that prints what a Linux guest is, one `name=value` a line, with the shell's own
 * means: it starts one program (`uname`) and runs in milliseconds on any of them.
 */
export const linuxFactsCommand: string = [
  'gc_first() { if [ -r "$2" ] && IFS= read -r gc_line 2>/dev/null < "$2"; then echo "$1=$gc_line"; fi; }',
  'gc_key() { [ -r "$2" ] || return 0; while IFS="$4" read -r gc_name gc_value; do',
  '[ "$gc_name" = "$3" ] && { echo "$1=$gc_value"; break; }; done < "$2" 2>/dev/null; return 0; }',
  `[ -z "\${${emulatedMark}-}" ] || echo "emulated=$${emulatedMark}"`,
  'gc_key os /etc/os-release PRETTY_NAME =',
  'gc_key os.id /etc/os-release ID =',
  'gc_key os.release /etc/os-release VERSION_ID =',
  'gc_first release /etc/redhat-release',
  'gc_first release /etc/SuSE-release',
  'gc_first release /etc/debian_version',
  'echo "kernel=$(uname -srm)"',
  'gc_first kernel.build /proc/version',
  "gc_key memory /proc/meminfo MemTotal: ' '",
  'gc_first dmi.vendor /sys/class/dmi/id/sys_vendor',
  'gc_first dmi.product /sys/class/dmi/id/product_name',
  'gc_first dmi.bios /sys/class/dmi/id/bios_version',
  'gc_first hypervisor /sys/hypervisor/type',
  'gc_first clocksource /sys/devices/system/clocksource/clocksource0/current_clocksource',
  'gc_first tainted /proc/sys/kernel/tainted',
].join('\n')

/** Reads what {@link linuxFactsCommand} printed. The guest is not trusted: cleaned and cut to size. */
export function parseFacts(text: string): Record<string, string> {
  const facts: Record<string, string> = {}
  for (const line of text.split('\n')) {
    const match = /^([a-z][a-z.]{0,30})=(.*)$/.exec(line)
    const [, name = '', value = ''] = match ?? []
    if (name !== '' && Object.keys(facts).length < maxFacts) {
      facts[name] = clean(value)
    }
  }
  return facts
}

function clean(value: string): string {
  const unquoted = value.trim().replace(/^(["'])(.*)\1$/, '$2')
  return unquoted.replace(/[^\x20-\x7e\u00a0-\ud7ff]/g, '?').slice(0, maxFactLength)
}
