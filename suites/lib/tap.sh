# shellcheck shell=sh
# What a test script says, and how: TAP 14, for any POSIX shell back to bash 3.2: dash, bash, busybox, mksh and ksh93 are tried.
#
#     . "$GUESTCERT/tap.sh"
#     is "$(uname -m)" x86_64 "the kernel is built for x86_64"
#     done_testing
#
# Sourcing it claims file descriptor 3 for the protocol: what commands print goes to standard error, so that a
# log printed by a test cannot pass for its checks. A program left running should be started with 3>&-.
#
#   ok TEXT                          a check that held
#   not_ok TEXT [GOT [WANTED]]       a check that did not
#   is GOT WANTED TEXT               the same text
#   isnt GOT UNWANTED TEXT           not the same text
#   one_of GOT "A B C" TEXT          one of some words
#   match GOT ERE TEXT               an extended regular expression is found in it
#   unlike GOT ERE TEXT              it is not found
#   at_least GOT LEAST TEXT          whole numbers from 0, of any length
#   at_most GOT MOST TEXT
#   within GOT LEAST MOST TEXT
#   holds TEXT COMMAND [WORD...]     the command's status is 0
#   skip REASON TEXT                 a check that could not be made here; it never counts as held
#   skip_all REASON                  the whole test does not apply; before any check; ends the script
#   bail_out REASON                  the test cannot be carried out; ends the script
#   diag TEXT                        for people
#   fact NAME TEXT                   what was found, for the record
#   measure NAME NUMBER UNIT         what was measured, for the record
#   bounded SECONDS COMMAND [WORD..] runs a command, ends it after so many seconds; status 124 then
#   done_testing                     prints the plan and ends the script; without it nothing passes
#
# A check that asserts nothing ends the script with a bail-out: the wrong number of arguments (a variable that is unset
# or holds several words, without quotes), an empty or all-matching expression, an empty list, a bound that is not a number.
#
# Names that begin with tap_ belong to this file. There is no `local` in POSIX: functions share their variables.

exec 3>&1 1>&2
LC_ALL=C
export LC_ALL
tap_count=0
tap_failed=0
tap_planned=

# The status of the script is kept: an EXIT trap that does not call exit leaves it alone.
trap tap_ended EXIT || :

tap_ended() {
  [ -n "$tap_planned" ] || printf '#   the script ended before done_testing\n' >&3
}

# One line, without what TAP would read as a directive, an escape or the start of a subtest.
tap_line() {
  case $1 in
    *[!abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789\ .,:\;/_\(\)%+=-]*)
      printf '%s' "$1" | tr '\n' ' ' |
        sed -e 's/[[:cntrl:]]/ /g' -e 's/\\/\\\\/g' -e 's/#/\\#/g' -e 's/{ *$/{;/' ;;
    *) printf '%s' "$1" ;;
  esac
}

# A value under a key, in YAML: quoted on a line, or as a block; at most 40 lines of 500 characters.
tap_value() {
  case $2 in
    *"
"*)
      printf '  %s: |2\n' "$1"
      printf '%s\n' "$2" | cut -c1-500 | sed -e 's/[[:cntrl:]]/ /g' -e 's/^/    /' -e 40q ;;
    *)
      tap_quoted=$(printf '%s' "$2" | cut -c1-500 | sed -e 's/[[:cntrl:]]/ /g' -e "s/'/''/g")
      printf "  %s: '%s'\n" "$1" "$tap_quoted" ;;
  esac
}

# tap_takes NAME COUNT GIVEN WHAT: a function got as many arguments as it takes.
tap_takes() {
  [ "$3" -eq "$2" ] || bail_out "$1 takes $2 arguments ($4), not $3: is a variable unset, or not in quotes?"
}

# tap_needs NAME WHAT VALUE: an argument without which nothing is asserted is not empty.
tap_needs() {
  [ -n "$3" ] || bail_out "$1 needs $2 that is not empty: nothing would be asserted"
}

# tap_bound NAME VALUE: a bound is a whole number.
tap_bound() {
  tap_is_number "$2" || bail_out "$1 needs a whole number as its bound, not '$2': nothing would be asserted"
}

# tap_expression NAME ERE: an expression that is found in everything says nothing: "$A|$B" with both unset is one.
tap_expression() {
  tap_needs "$1" "an expression" "$2"
  case $2 in
    *'|'* | *'*'* | *'?'* | *'{'*)
      [ "$(printf '\n~ 0 no text of anybody ~\n' | grep -c -E -e "$2" 2>/dev/null)" != 2 ] ||
        bail_out "$1 has an expression that is found in everything: $2" ;;
  esac
}

ok() {
  tap_takes ok 1 $# TEXT
  tap_count=$((tap_count + 1))
  printf 'ok %s - %s\n' "$tap_count" "$(tap_line "$1")" >&3
}

not_ok() {
  [ $# -ge 1 ] && [ $# -le 3 ] || bail_out "not_ok takes 1 to 3 arguments (TEXT GOT WANTED), not $#"
  tap_count=$((tap_count + 1))
  tap_failed=$((tap_failed + 1))
  printf 'not ok %s - %s\n' "$tap_count" "$(tap_line "$1")" >&3
  [ $# -gt 1 ] || return 0
  {
    printf '  ---\n'
    tap_value got "$2"
    [ $# -lt 3 ] || tap_value wanted "$3"
    printf '  ...\n'
  } >&3
}

is() {
  tap_takes is 3 $# "GOT WANTED TEXT"
  if [ "$1" = "$2" ]; then ok "$3"; else not_ok "$3" "$1" "$2"; fi
}

isnt() {
  tap_takes isnt 3 $# "GOT UNWANTED TEXT"
  if [ "$1" != "$2" ]; then ok "$3"; else not_ok "$3" "$1" "anything else"; fi
}

one_of() {
  tap_takes one_of 3 $# "GOT WORDS TEXT"
  tap_words=0
  for tap_word in $2; do tap_words=1; done
  [ "$tap_words" -eq 1 ] || bail_out "one_of needs a list that is not empty: nothing would be asserted"
  for tap_word in $2; do
    if [ "$1" = "$tap_word" ]; then
      ok "$3"
      return 0
    fi
  done
  not_ok "$3" "$1" "one of: $2"
}

match() {
  tap_takes match 3 $# "GOT ERE TEXT"
  tap_expression match "$2"
  if printf '%s\n' "$1" | grep -E -e "$2" >/dev/null; then ok "$3"; else not_ok "$3" "$1" "something like $2"; fi
}

# A broken expression has status 2 and must not look like "not found".
unlike() {
  tap_takes unlike 3 $# "GOT ERE TEXT"
  tap_expression unlike "$2"
  printf '%s\n' "$1" | grep -E -e "$2" >/dev/null
  case $? in
    1) ok "$3" ;;
    *) not_ok "$3" "$1" "nothing like $2" ;;
  esac
}

# True for a whole number from 0.
tap_is_number() {
  case $1 in
    '' | *[!0123456789]*) return 1 ;;
    *) return 0 ;;
  esac
}

# True when whole number $1 < $2. By length and by pieces of nine digits: a shell may count in 32 bits.
tap_less() {
  tap_a=$1
  tap_b=$2
  while case $tap_a in 0?*) ;; *) false ;; esac do tap_a=${tap_a#0}; done
  while case $tap_b in 0?*) ;; *) false ;; esac do tap_b=${tap_b#0}; done
  [ ${#tap_a} -eq ${#tap_b} ] || { [ ${#tap_a} -lt ${#tap_b} ]; return; }
  while [ ${#tap_a} -gt 9 ]; do
    tap_rest_a=${tap_a#?????????}
    tap_rest_b=${tap_b#?????????}
    tap_first_a=${tap_a%"$tap_rest_a"}
    tap_first_b=${tap_b%"$tap_rest_b"}
    [ "$tap_first_a" = "$tap_first_b" ] || { [ "$tap_first_a" -lt "$tap_first_b" ]; return; }
    tap_a=$tap_rest_a
    tap_b=$tap_rest_b
  done
  [ "$tap_a" -lt "$tap_b" ]
}

# What is not a number is never within bounds.
within() {
  tap_takes within 4 $# "GOT LEAST MOST TEXT"
  tap_bound within "$2"
  tap_bound within "$3"
  ! tap_less "$3" "$2" || bail_out "within has no number from $2 to $3: nothing would be asserted"
  if tap_is_number "$1" && tap_is_number "$2" && tap_is_number "$3" && ! tap_less "$1" "$2" && ! tap_less "$3" "$1"
  then ok "$4"
  else not_ok "$4" "$1" "from $2 to $3"
  fi
}

at_least() {
  tap_takes at_least 3 $# "GOT LEAST TEXT"
  tap_bound at_least "$2"
  if tap_is_number "$1" && tap_is_number "$2" && ! tap_less "$1" "$2"; then ok "$3"; else not_ok "$3" "$1" "$2 or more"; fi
}

at_most() {
  tap_takes at_most 3 $# "GOT MOST TEXT"
  tap_bound at_most "$2"
  if tap_is_number "$1" && tap_is_number "$2" && ! tap_less "$2" "$1"; then ok "$3"; else not_ok "$3" "$1" "$2 or less"; fi
}

holds() {
  [ $# -ge 2 ] || bail_out "holds takes TEXT and a command, not $# argument(s): is a variable unset?"
  tap_needs holds "a command" "$2"
  tap_text=$1
  shift
  "$@" 3>&-
  tap_status=$?
  if [ "$tap_status" -eq 0 ]; then ok "$tap_text"; else not_ok "$tap_text" "status $tap_status" "status 0"; fi
}

skip() {
  tap_takes skip 2 $# "REASON TEXT"
  tap_count=$((tap_count + 1))
  printf 'ok %s - %s # SKIP %s\n' "$tap_count" "$(tap_line "$2")" "$(tap_line "$1")" >&3
}

skip_all() {
  [ "$tap_count" -eq 0 ] || bail_out "skip_all after $tap_count checks"
  tap_planned=1
  printf '1..0 # SKIP %s\n' "$(tap_line "${1:-no reason given}")" >&3
  exit 0
}

bail_out() {
  tap_planned=1
  printf 'Bail out! %s\n' "$(tap_line "${1:-no reason given}")" >&3
  exit 255
}

# Deeper than one space, so that no text can pass for a fact or a measure.
diag() {
  printf '%s\n' "$1" | cut -c1-500 | sed -e 's/[[:cntrl:]]/ /g' -e 's/^/#   /' -e 200q >&3
}

fact() {
  tap_takes fact 2 $# "NAME TEXT"
  printf '# fact: %s=%s\n' "$1" "$(printf '%s' "$2" | tr '\n' ' ' | sed -e 's/[[:cntrl:]]/ /g')" >&3
}

measure() {
  tap_takes measure 3 $# "NAME NUMBER UNIT"
  printf '# measure: %s=%s %s\n' "$1" "$2" "$3" >&3
}

# Older systems have no timeout, and older busyboxes another: then the command runs beside and is watched.
bounded() {
  [ $# -ge 2 ] || bail_out "bounded takes SECONDS and a command, not $# argument(s): is a variable unset?"
  tap_bound bounded "$1"
  tap_needs bounded "a command" "$2"
  tap_seconds=$1
  shift
  if timeout -s KILL 5 true 2>/dev/null; then
    timeout -s KILL "$tap_seconds" "$@" 3>&-
    tap_status=$?
    # Killed: 128 + 9, and 256 + 9 in ksh93.
    case $tap_status in
      137 | 265) tap_status=124 ;;
    esac
    return "$tap_status"
  fi
  "$@" 3>&- &
  tap_child=$!
  tap_waited=0
  while kill -0 "$tap_child" 2>/dev/null; do
    if [ "$tap_waited" -ge "$tap_seconds" ]; then
      kill -9 "$tap_child" 2>/dev/null
      wait "$tap_child" 2>/dev/null
      return 124
    fi
    sleep 1
    tap_waited=$((tap_waited + 1))
  done
  wait "$tap_child"
}

done_testing() {
  [ "$tap_count" -gt 0 ] || bail_out "no check was made"
  tap_planned=1
  printf '1..%s\n' "$tap_count" >&3
  [ "$tap_failed" -eq 0 ] || exit 1
  exit 0
}

printf 'TAP version 14\n' >&3
