#!/bin/sh
# The kernel is not tainted.
#
# The value is a set of bits (Documentation/admin-guide/tainted-kernels.rst in the kernel; Red Hat Solution 40594;
# SUSE TID 3582750). Vendors use bits of their own above 18 and count otherwise in old kernels: bit 6 is an unsigned
# module in RHEL 5. Letters in GC_ALLOWED_TAINT are allowed, with bit-N for those that have none, separated by spaces;
# T always is: it says how the kernel was built.
. "$GUESTCERT/tap.sh"

value=$(cat /proc/sys/kernel/tainted 2>/dev/null)
match "$value" '^[0-9]+$' "the kernel says whether it is tainted"
fact tainted "$value"

tainted=$(awk -v value="$value" -v allowed=" T ${GC_ALLOWED_TAINT:-} " 'BEGIN {
  split("P F S R M B U D A W C I O E L K X T N", letters, " ")
  for (bit = 0; value > 0; bit++) {
    half = int(value / 2)
    name = bit < 19 ? letters[bit + 1] : "bit-" bit
    if (value - 2 * half == 1 && index(allowed, " " name " ") == 0) found = found (found == "" ? "" : " ") name
    value = half
  }
  print found
}')
is "$tainted" "" "the kernel is not tainted"

if [ -n "$tainted" ]; then
  diag "modules: $(sed -n 's/^\([^ ]*\) .*(\([A-Z]*\))$/\1 (\2)/p' /proc/modules 2>/dev/null | tr '\n' ' ')"
fi

done_testing
