#!/bin/sh
# The kernel's log holds no line of a severity that the kernel keeps for what is broken (emerg, alert, crit), and none
# that kernel-log.list knows for a fault. What is looked for, what is spared, and where each line comes from stands
# there.
#
# The severity of lines is known where dmesg has -r (util-linux 2.17 of 2010, busybox 1.20); older ones print lines
# without it, and then the list alone decides. Lines of programs that write to /dev/kmsg are not the kernel's.
# Each expression is tried on a sample first: a grep that finds nothing must not look like a clean log.
. "$GUESTCERT/tap.sh"

list=${GUESTCERT_SUITE:-${0%/*}}/kernel-log.list
log=${GC_TMP:-/tmp}/kernel-log.$$
trap 'tap_ended; rm -f "$log" "$log".*' EXIT

# Without a size, older dmesg asks for the last 16 KiB alone; newer ones know no size.
severities=yes
dmesg -r -s 1048576 >"$log" 2>/dev/null || dmesg -r >"$log" 2>/dev/null || : >"$log"
if ! grep '^<[0-9]' "$log" >/dev/null; then
  severities=no
  dmesg -s 1048576 >"$log" 2>/dev/null || dmesg >"$log" 2>/dev/null
fi
[ -s "$log" ] || bail_out "the kernel's log cannot be read; it may be empty, or kept from this user"
measure kernel-log "$(grep -c '' "$log")" lines
fact kernel-log-severities "$severities"

# The ring buffer forgets the oldest lines. They may still be in a file that was written at boot.
if ! grep -F "Linux version $(uname -r)" "$log" >/dev/null; then
  diag "the kernel's ring buffer has wrapped"
  for saved in /var/log/dmesg /var/log/boot.msg; do
    [ ! -r "$saved" ] || cat "$saved" >>"$log"
  done
  if [ -d /run/systemd/system ]; then
    bounded 20 journalctl -k -b --no-pager >>"$log" 2>/dev/null
    bounded 20 journalctl -k -b -p crit -o cat --no-pager 2>/dev/null | sed 's/^/<2>/' >>"$log"
  fi
fi
if grep -F "Linux version $(uname -r)" "$log" >/dev/null; then
  ok "the log reaches back to the boot of this kernel"
else
  skip "the ring buffer has wrapped and no copy was found" "the log reaches back to the boot of this kernel"
fi

# found EXPRESSIONS SAMPLES: all expressions of a group as one, which finds every sample.
found() {
  tap_needs found "an expression" "$1"
  [ "$(printf '%s\n' "$2" | grep -c -E -e "$1")" = "$(printf '%s\n' "$2" | grep -c '')" ] ||
    bail_out "an expression does not find its sample: $(printf '%s\n' "$2" | grep -v -E -e "$1" | head -n 1)"
}

# The list is read twice: first what is spared, which is taken out of the log, then what is found in the rest.
read_list() {
  wanted=$1
  group='' title='' expressions='' samples='' kind=''
  while IFS= read -r entry; do
    value=${entry#* }
    case $entry in
      'group '*)
        end_group
        group=${value%% *}
        title=${value#"$group"}
        title=${title# } ;;
      "$wanted "*)
        kind=$wanted
        expressions=${expressions:+"$expressions|"}$value ;;
      'find '* | 'spare '*) kind= ;;
      'line '*)
        [ -z "$kind" ] || samples=${samples:+"$samples
"}$value ;;
    esac
  done
  end_group
}

end_group() {
  [ -z "$expressions" ] || {
    found "$expressions" "$samples"
    "judge_$wanted"
  }
  expressions='' samples='' kind=''
}

# An NMI that was injected through the host has no reason that the kernel knows: arch/x86/kernel/nmi.c,
# unknown_nmi_error() since Linux 3.2, arch/x86/kernel/traps.c before it.
spare_ours() {
  if [ "${GC_NMI:-}" = injected ]; then
    grep -v -E -e 'NMI received for unknown reason|Dazed and confused, but trying to continue|strange power saving mode enabled'
  else
    cat
  fi
}

judge_spare() {
  # Facilities are counted in eights from 0, which is the kernel's.
  grep -v -E -e '^<([89]|[1-9][0-9]+)>' "$log" | grep -v -E -e "$expressions" | spare_ours >"$log.rest"
}

judge_find() {
  grep -E -e "$expressions" "$log.rest" >"$log.found"
  is "$(head -n 20 "$log.found")" "" "$title"
}

[ -r "$list" ] || bail_out "the list of faults cannot be read: $list"
read_list spare <"$list"
[ -s "$log.rest" ] || bail_out "nothing is left of the kernel's log without what is spared"
read_list find <"$list"

if [ "$severities" = yes ]; then
  is "$(grep '^<[012]>' "$log.rest" | head -n 20)" "" "no message has the severity emerg, alert or crit"
  # Sound machines say errors, too: they are counted, and told for people.
  errors=$(grep '^<3>' "$log.rest" | head -n 20)
  measure kernel-log-errors "$(grep -c '^<3>' "$log.rest")" lines
  [ -z "$errors" ] || diag "$errors"
else
  diag "this dmesg does not say how severe a message is: the list alone decides"
fi
done_testing
