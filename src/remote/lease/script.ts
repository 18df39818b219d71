import { quote } from '../shells/quote.js'

/**
 * The lease of a machine, in the words of a POSIX shell: bash 3.2 of RHEL 5, dash, busybox and the Korn shells run
 * it, with date, mkdir, ln, mv and rm. Where the folder above it cannot be written to it stands in /run, or else in /tmp.
 *
 * In the folder stands one file a generation, named by its number: the fencing token. The highest one is the
 * lease. It is made by ln(1), which is atomic and fails where the name is taken: of all who want the next
 * generation, one gets it. The highest file is never removed, not even when it is given back, so that no number
 * comes twice: only one that nobody was ever told of is. Only the machine's own clock is asked.
 *
 * Whoever takes an expired lease over looks at its file again once the next one is made. An owner looks for a next
 * file once it has renewed its own. So of the two at least one sees the other, whatever comes between their steps: no
 * owner is told `kept` of a lease that is then taken over as it was before that renewal.
 *
 * A file that is gone once it was read has been taken over in between: whoever wants the lease looks again.
 *
 * $1 what to do, $2 folder, $3 who asks, $4 seconds that it lasts, $5 seconds between renewals,
 * $6 take: `GENERATION.RENEWAL` that may be taken over when it has expired; else: the generation that is held,
 * $7 lines for people.
 */
export const leaseScript = `LC_ALL=C;export LC_ALL;umask 022
what=$1 d=$2 me=$3 ttl=$4 every=$5 mine=$6 about=$7
if [ ! -w "\${d%/*}" ];then for p in /run /tmp;do [ -w "$p" ] && { d=$p/\${d##*/};break;};done;fi
tmp=$d/.$me.$$
die(){ rm -f "$tmp" 2>/dev/null;echo "gc-lease broken 0 0";echo "why $1";echo gc-end;exit 0;}
find_top(){
  top=0
  for f in "$d"/[1-9]*;do
    n=\${f##*/}
    case $n in *[!0-9]*|??????????*) continue;;esac
    [ "$n" -le "$top" ] || top=$n
  done
}
look(){
  state=torn id= until=0 lasts=0 renewal=0 whole=
  while read -r key value;do
    case $key in
      state) state=$value;; id) id=$value;; until) until=$value;; ttl) lasts=$value;;
      renewal) renewal=$value;; end) whole=yes;;
    esac
  done 2>/dev/null <"$d/$top"
  for number in "$until" "$lasts" "$renewal";do
    case $number in ''|*[!0-9]*|????????????*) whole=;;esac
  done
  [ -n "$whole" ] || { state=torn id= until=0 lasts=0 renewal=0;}
}
word_of(){
  now=$(date +%s)
  if [ "$top" -eq 0 ] || [ "$state" = released ];then word=free
  elif [ "$until" -le "$now" ] || [ $((until-now)) -gt "$lasts" ];then word=stale
  else word=held;fi
}
say(){
  echo "gc-lease $1 $top \${now:-0}"
  [ "$top" -eq 0 ] || { n=0;while [ "$n" -lt 20 ] && IFS= read -r line;do echo "$line";n=$((n+1));done 2>/dev/null <"$d/$top";echo;}
  echo gc-end
  exit 0
}
prepare(){
  now=$(date +%s)
  said=$( { printf '%s\\n' "state $1" "id $me" "until $((now+ttl))" "ttl $ttl" "every $every" "renewal $2" "$about" end >"$tmp";} 2>&1) || die "$d cannot be written to: $(echo $said)"
  last=
  while read -r key value;do last=$key;done <"$tmp"
  [ "$last" = end ] || die "$d has no space left"
}
renew(){
  find_top
  [ "$top" -eq "$mine" ] && look || say lost
  [ "$id" = "$me" ] && [ "$state" != released ] || say lost
  prepare "$1" $((renewal+1))
  mv -f "$tmp" "$d/$mine" 2>/dev/null || die "$d/$mine cannot be replaced"
  find_top
  [ "$top" -eq "$mine" ] || { rm -f "$d/$mine";look;say lost;}
}
[ ! -h "$d" ] || die "$d is a link"
case $what in
look)
  find_top
  [ "$top" -eq 0 ] || look
  word_of;say "$word";;
take)
  [ -d "$d" ] || mkdir -m 1777 "$d" 2>/dev/null
  [ -d "$d" ] || die "$d cannot be made"
  tries=0
  while [ "$tries" -lt 5 ];do
    tries=$((tries+1))
    find_top
    [ "$top" -eq 0 ] || { look;[ -f "$d/$top" ] || continue;}
    word_of
    if [ "$top" -gt 0 ] && [ "$id" = "$me" ] && [ "$state" = held ];then mine=$top;renew held;say taken;fi
    case $word in
      held) say held;;
      stale) [ "$top.$renewal" = "$mine" ] || say stale;;
    esac
    prepare held 0
    next=$((top+1))
    if ln "$tmp" "$d/$next" 2>/dev/null;then
      rm -f "$tmp"
      find_top
      if [ "$top" -eq "$next" ];then
        if [ "$word" = stale ];then
          top=$((next-1))
          look
          [ "$top.$renewal" = "$mine" ] || { rm -f "$d/$next";word_of;say "$word";}
          top=$next
        fi
        for f in "$d"/[1-9]*;do
          n=\${f##*/}
          case $n in *[!0-9]*) continue;;esac
          [ "$n" -ge "$next" ] || rm -f "$f" 2>/dev/null
        done
        say taken
      fi
      rm -f "$d/$next"
    else
      rm -f "$tmp"
      [ -w "$d" ] || die "$d cannot be written to"
    fi
  done
  find_top
  [ "$top" -eq 0 ] || look
  word_of;say held;;
renew) renew held;say kept;;
release) renew released;say free;;
esac`

/** What is asked of a lease. */
export interface LeaseQuestion {
  readonly what: 'look' | 'take' | 'renew' | 'release'
  readonly folder: string
  /** Who asks: letters, digits and `.-_`. */
  readonly id: string
  readonly ttlSec: number
  readonly everySec: number
  /** For `take`: `GENERATION.RENEWAL` that may be taken over; else the generation that is held. */
  readonly mine: string
  /** `key value` lines for people. */
  readonly about: readonly string[]
}

/** The command that asks. */
export function leaseCommand({ what, folder, id, ttlSec, everySec, mine, about }: LeaseQuestion): string {
  const words = [what, folder, id, String(ttlSec), String(everySec), mine, about.join('\n')]
  return `/bin/sh -c ${[leaseScript, 'gc-lease', ...words].map(quote).join(' ')}`
}
