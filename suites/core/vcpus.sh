#!/bin/sh
# The guest has as many virtual CPUs as it was given, and uses all of them.
. "$GUESTCERT/tap.sh"

[ -n "${GC_VCPUS:-}" ] || skip_all "the lab does not say how many vCPUs the guest has"

# proc(5): x86 says "processor : 0", s390x "processor 0: …".
is "$(grep -c '^processor[[:space:]0-9]*:' /proc/cpuinfo)" "$GC_VCPUS" "the kernel lists the vCPUs that the guest was given"
is "$(grep -c '^cpu[0-9]' /proc/stat)" "$GC_VCPUS" "the kernel schedules on as many"

# A CPU that cannot be taken offline has no such file.
offline=
for file in /sys/devices/system/cpu/cpu[0-9]*/online; do
  [ -r "$file" ] || continue
  [ "$(cat "$file")" = 1 ] || offline="$offline $file"
done
is "$offline" "" "no vCPU is offline"

done_testing
