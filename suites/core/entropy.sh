#!/bin/sh
# The guest gets random numbers, without waiting for ever.
#
# random(4): before Linux 5.6 /dev/random blocks while the kernel's estimate of its entropy is low, which on an old guest
# without a random number device may take minutes: each read is ended after a time.
. "$GUESTCERT/tap.sh"

patience=20
file=${GC_TMP:-/tmp}/entropy.$$

available=$(cat /proc/sys/kernel/random/entropy_avail 2>/dev/null)
at_least "$available" 1 "the kernel has entropy"
measure entropy "${available:-0}" bit
fact rng-device "$(cat /sys/class/misc/hw_random/rng_current /sys/devices/virtual/misc/hw_random/rng_current 2>/dev/null | head -n 1)"

# draw DEVICE: sixteen bytes in hexadecimal, one at a time because old kernels give fewer than asked; sets drawn.
draw() {
  bounded "$patience" dd if="$1" of="$file" bs=1 count=16 2>/dev/null
  status=$?
  drawn=$(od -An -tx1 "$file" 2>/dev/null | tr -d ' \n')
  rm -f "$file"
}

for device in /dev/urandom /dev/random; do
  draw "$device"
  is "$status" 0 "$device gives sixteen bytes in $patience seconds"
  one=$drawn
  is "${#one}" 32 "$device gives all of them"
  draw "$device"
  is "$status" 0 "$device gives as many again"
  isnt "$drawn" "$one" "$device gives others the second time"
done

done_testing
