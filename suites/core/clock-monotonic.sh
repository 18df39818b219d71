#!/bin/sh
# The monotonic clock never runs backwards, on any vCPU or from one to the next, and the wall clock does not either.
#
# The monotonic clock is read from /proc/timer_list, in ns, where root may ("now at … nsecs", from 2.6.21), else
# from /proc/uptime, in 10 ms. Steps that are smaller than that, or than the time it takes to start a program, are
# not seen. The wall clock may be set back once by whoever keeps it in time: only a clock that goes back twice fails.
. "$GUESTCERT/tap.sh"

# Under software emulation a reading takes a tenth of a second.
readings=60
most_cpus=16

on_cpu() {
  if [ "$cpu" = any ]; then "$@"; else taskset -c "$cpu" "$@"; fi
}

if grep '^now at [0-9]' /proc/timer_list >/dev/null 2>&1; then
  unit=ns
  now() { on_cpu sed -n '/^now at/{s/[^0-9]//g;p;q;}' /proc/timer_list; }
else
  unit=cs
  # "350735.47 234388.90": the first, without its point.
  now() {
    uptime=$(on_cpu cat /proc/uptime)
    uptime=${uptime%% *}
    printf '%s\n' "${uptime%.*}${uptime#*.}"
  }
fi
fact monotonic-source "$unit"

# Those that this process may run on: a CPU may be kept from it.
cpus=
count=0
for cpu in $(sed -n 's/^processor[^0-9]*\([0-9]*\).*/\1/p' /proc/cpuinfo | head -n "$most_cpus"); do
  if taskset -c "$cpu" true 2>/dev/null; then
    cpus="$cpus $cpu"
    count=$((count + 1))
  fi
done
if [ -z "$cpus" ]; then
  diag "there is no taskset: the scheduler chooses the CPUs"
  cpus=any
  count=1
fi
rounds=$((readings / count))
[ "$rounds" -ge 6 ] || rounds=6
fact cpus-sampled "$cpus"

# sample READER: reads on each CPU in turn; sets samples, backwards, first, last and worst (what was seen going back).
sample() {
  samples=0
  backwards=0
  strange=
  worst=
  first=
  last=
  round=0
  while [ "$round" -lt "$rounds" ]; do
    for cpu in $cpus; do
      value=$($1)
      if tap_is_number "$value"; then
        if [ -n "$last" ] && tap_less "$value" "$last"; then
          backwards=$((backwards + 1))
          [ -n "$worst" ] || worst="from $last to $value on CPU $cpu, sample $samples"
        fi
        [ -n "$first" ] || first=$value
        last=$value
        samples=$((samples + 1))
      else
        strange="not a reading: '$value'"
      fi
    done
    round=$((round + 1))
  done
}

sample now
measure monotonic-samples "$samples" count
is "$strange" "" "every reading of the monotonic clock is a number"
at_least "$samples" 50 "enough readings were taken"
is "$worst" "" "the monotonic clock never went back"

# A clock that stands still never goes back either.
cpu=any
before=$(now)
sleep 1
after=$(now)
case $unit in
  ns) least=$(awk -v before="$before" 'BEGIN { printf "%.0f\n", before + 900000000 }') ;;
  *) least=$(awk -v before="$before" 'BEGIN { printf "%.0f\n", before + 90 }') ;;
esac
at_least "$after" "$least" "the monotonic clock advances by a second while a second passes"

# Old busyboxes have no %N.
case $(date +%N) in
  [0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]) wall() { on_cpu date +%s%N; } ;;
  *) wall() { on_cpu date +%s; } ;;
esac
sample wall
is "$strange" "" "every reading of the wall clock is a number"
if [ "$backwards" -eq 1 ]; then
  diag "the wall clock went back once ($worst); looking again"
  sample wall
fi
measure wall-clock-steps-back "$backwards" count
is "$worst" "" "the wall clock does not keep going back"

done_testing
