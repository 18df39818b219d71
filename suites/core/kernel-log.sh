#!/bin/sh
# The kernel's log holds nothing that a sound machine would not say.
#
# Not judged, because guests say them in good health: a program's segfault or "traps: … general protection fault",
# "[Firmware Bug]", the notes on CPU bugs and their mitigations ("Spectre V2 : WARNING: …"), I/O errors of empty floppy
# and CD drives, an unstable clock source. Each expression is tried on a sample first: a grep that finds nothing
# must not look like a clean log.
. "$GUESTCERT/tap.sh"

log=${GC_TMP:-/tmp}/kernel-log.$$
# Without a size, older dmesg asks for the last 16 KiB alone; newer ones know no size.
dmesg -s 1048576 >"$log" 2>/dev/null || dmesg >"$log" 2>/dev/null
if [ ! -s "$log" ]; then
  rm -f "$log"
  bail_out "the kernel's log cannot be read; it may be empty, or kept from this user"
fi
measure kernel-log "$(grep -c '' "$log")" lines

# The ring buffer forgets the oldest lines. They may still be in a file that was written at boot.
if ! grep -F "Linux version $(uname -r)" "$log" >/dev/null; then
  diag "the kernel's ring buffer has wrapped"
  for saved in /var/log/dmesg /var/log/boot.msg; do
    [ ! -r "$saved" ] || cat "$saved" >>"$log"
  done
  [ ! -d /run/systemd/system ] || bounded 20 journalctl -k -b --no-pager >>"$log" 2>/dev/null
fi
if grep -F "Linux version $(uname -r)" "$log" >/dev/null; then
  ok "the log reaches back to the boot of this kernel"
else
  skip "the ring buffer has wrapped and no copy was found" "the log reaches back to the boot of this kernel"
fi

# judge TEXT EXPRESSION SAMPLE…: no line matches; every sample would.
judge() {
  text=$1
  expression=$2
  shift 2
  for sample in "$@"; do
    if ! printf '%s\n' "$sample" | grep -E -e "$expression" >/dev/null; then
      rm -f "$log"
      bail_out "the expression does not find its sample: $sample"
    fi
  done
  is "$(grep -E -e "$expression" "$log" | head -n 20)" "" "$text"
}

judge "no fault of the kernel" \
  '(^|[^A-Za-z])BUG: |kernel BUG at|(^|[^A-Za-z])Oops: |nable to handle kernel|Kernel panic - not syncing|general protection fault.*\[#[0-9]|double fault: |cut here \]-|WARNING: (CPU: |at )|WARNING: [a-z0-9_/.-]+\.[chS]:[0-9]+ at ' \
  "[   12.345678] BUG: unable to handle kernel NULL pointer dereference at 0000000000000008" \
  "BUG: warning at kernel/softirq.c:138/local_bh_enable() (Not tainted)" \
  "[    1.0] Oops: 0002 [#1] SMP PTI" \
  "Unable to handle kernel paging request at ffff810037b1f000 RIP:" \
  "general protection fault: 0000 [1] [#1] SMP" \
  "------------[ cut here ]------------" \
  "WARNING: CPU: 0 PID: 1 at kernel/time/hrtimer.c:1 hrtimer_init+0x1/0x2"
judge "no CPU was stuck and no task hung" \
  'soft lockup|hard LOCKUP|detected stalls? on CPU|self-detected stall|blocked for more than [0-9]+ seconds' \
  "BUG: soft lockup - CPU#0 stuck for 10s! [swapper:0]" \
  "rcu: INFO: rcu_sched detected stalls on CPUs/tasks:" \
  "INFO: task jbd2/vda1-8:169 blocked for more than 120 seconds."
judge "no hardware error" \
  'Machine Check Exception|Machine check events logged|\[Hardware Error\]|Uncorrected hardware memory error' \
  "mce: [Hardware Error]: Machine check events logged" \
  "CPU 0: Machine Check Exception: 0000000000000004"
judge "no error of a disk or file system" \
  'I/O error,? (on )?dev(ice)? (vd|sd|xvd|nvme|hd[ab])|EXT[234]-fs error|EXT[234]-fs \([^)]*\): error|XFS.*(Corruption|Internal error|metadata I/O error)|BTRFS.*(error|critical)[ :]|[Rr]emounting filesystem read-only|Aborting journal on device' \
  "end_request: I/O error, dev sda, sector 2048" \
  "Buffer I/O error on device vda1, logical block 0" \
  "EXT3-fs error (device hda1): ext3_lookup: unlinked inode 5 in dir #2" \
  "EXT4-fs error (device vda1): ext4_find_entry:1455: inode #2: comm ls: reading directory lblock 0" \
  "Aborting journal on device vda1-8."
judge "memory did not run out" \
  'Out of memory: Kill|invoked oom-killer' \
  "Out of memory: Killed process 100 (sshd)"

rm -f "$log"
done_testing
