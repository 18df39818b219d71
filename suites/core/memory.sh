#!/bin/sh
# The guest has the memory that it was given.
#
# MemTotal is less than what the machine has: the kernel's text and its table of pages (64 bytes for each 4 KiB, 1.6 %),
# and what firmware keeps, are gone (proc(5)). What is set aside for a crash kernel is gone too and counted back
# (Documentation/ABI/testing/sysfs-kernel-crash_size, /sys/kernel/kexec_crash_size from 2.6.33; /proc/iomem before).
# 64 MiB and a sixteenth leave room for all of that from 256 MiB up, and are far from half.
. "$GUESTCERT/tap.sh"

[ -n "${GC_MEMORY_BYTES:-}" ] || skip_all "the lab does not say how much memory the guest has"
tap_is_number "$GC_MEMORY_BYTES" || bail_out "the lab's memory is not a number: $GC_MEMORY_BYTES"

total=$(sed -n 's/^MemTotal: *\([0-9][0-9]*\) kB$/\1/p' /proc/meminfo)
match "$total" '^[1-9][0-9]*$' "the kernel says how much memory it has"

# A line of /proc/iomem is "01000000-08ffffff : Crash kernel"; who may not see addresses sees zeros.
crash=$(cat /sys/kernel/kexec_crash_size 2>/dev/null)
[ -n "$crash" ] || crash=$(sed -n 's/^ *\([0-9a-f]*\)-\([0-9a-f]*\) : Crash kernel$/\1 \2/p' /proc/iomem 2>/dev/null | awk '
  function value(hex,  at, sum) {
    sum = 0
    for (at = 1; at <= length(hex); at++) sum = sum * 16 + index("0123456789abcdef", substr(hex, at, 1)) - 1
    return sum
  }
  $2 !~ /^0*$/ { all += value($2) - value($1) + 1 }
  END { printf "%.0f\n", all }')
tap_is_number "$crash" || crash=0
measure memory-total "${total:-0}" KiB
measure memory-for-crash-kernel "$crash" B

# In KiB and by awk: bytes may be more than a shell can count.
usable=$(awk -v total="${total:-0}" -v crash="$crash" 'BEGIN { printf "%.0f\n", total + crash / 1024 }')
least=$(awk -v given="$GC_MEMORY_BYTES" 'BEGIN { printf "%.0f\n", given / 1024 * 15 / 16 - 65536 }')
most=$(awk -v given="$GC_MEMORY_BYTES" 'BEGIN { printf "%.0f\n", given / 1024 * 65 / 64 }')
case $least in -*) least=1 ;; esac
within "$usable" "$least" "$most" "the memory, in KiB, is what the guest was given, less what kernel and firmware keep"

done_testing
