#!/bin/sh
# The release that the guest calls itself is the one that the lab declares, and its kernel belongs to it.
#
# os-release(5) is read where it is: RHEL and CentOS from 7, SLES from 11 SP3, Debian from 7, Ubuntu from 12.04.
# Before it: /etc/redhat-release, "Red Hat Enterprise Linux Server release 5.11 (Tikanga)", and /etc/SuSE-release,
# whose lines are "VERSION = 11" and "PATCHLEVEL = 4".
. "$GUESTCERT/tap.sh"

[ -n "${GC_GUEST_PRODUCT:-}" ] || bail_out "the lab's product is not set"
[ -n "${GC_GUEST_VERSION:-}" ] || bail_out "the lab's version is not set"

field() {
  sed -n "s/^$1=//p" /etc/os-release | sed -e 's/^"\(.*\)"$/\1/' -e "s/^'\(.*\)'$/\1/" | head -n 1
}

# "11 SP4", "15-SP5" and "5.0" as 11.4, 15.5 and 5: one spelling for both sides.
plain() {
  printf '%s\n' "$1" | sed -e 's/[ -]*[Ss][Pp] *\([0-9]\)/.\1/' -e 's/ *LTS.*$//' -e 's/^\([0-9][0-9]*\)\.0$/\1/'
}

id=
version=
source=
if [ -r /etc/os-release ]; then
  source=/etc/os-release
  id=$(field ID)
  version=$(field VERSION_ID)
elif [ -r /etc/SuSE-release ]; then
  source=/etc/SuSE-release
  id=sles
  level=$(sed -n 's/^PATCHLEVEL *= *//p' /etc/SuSE-release)
  version=$(sed -n 's/^VERSION *= *//p' /etc/SuSE-release).${level:-0}
elif [ -r /etc/redhat-release ]; then
  source=/etc/redhat-release
  case $(cat /etc/redhat-release) in
    ("Red Hat Enterprise Linux"*) id=rhel ;;
    (CentOS*) id=centos ;;
    (Fedora*) id=fedora ;;
    (*) id=unknown ;;
  esac
  version=$(sed -n 's/.* release \([0-9][0-9.]*\).*/\1/p' /etc/redhat-release | head -n 1)
fi
[ -n "$source" ] || bail_out "none of os-release, SuSE-release and redhat-release can be read"
fact release-file "$source"
fact release "$id $version"

case $id in
  almalinux) product=alma ;;
  ol) product=oracle-linux ;;
  opensuse*) product=opensuse ;;
  sles_sap | SLES_SAP | suse | SLES) product=sles ;;
  *) product=$id ;;
esac
if [ "$GC_GUEST_PRODUCT" = linux ]; then
  isnt "$product" "" "the guest says which product it is"
else
  is "$product" "$GC_GUEST_PRODUCT" "the product is the one that the lab declares"
fi

# Minors and service packs belong to the version of RHEL and SLES. Others name theirs elsewhere, and a lab may leave
# them away: Debian's 12.8 is 12 in os-release, and CentOS 7.9 is 7.
declared=$(plain "$GC_GUEST_VERSION")
seen=$(plain "$version")
case $product in
  rhel | sles) ;;
  *)
    finer=
    [ ! -r /etc/debian_version ] || [ "$product" != debian ] || finer=$(cat /etc/debian_version)
    [ "$product" != ubuntu ] || finer=$(field VERSION | sed 's/ .*//')
    [ "$product" = debian ] || [ "$product" = ubuntu ] || [ ! -r /etc/redhat-release ] ||
      finer=$(sed -n 's/.* release \([0-9][0-9.]*\).*/\1/p' /etc/redhat-release | head -n 1)
    case $declared in
      "$seen".*)
        case $finer. in
          "$declared".*) seen=$declared ;;
          *) seen=$finer ;;
        esac ;;
    esac ;;
esac
is "$seen" "$declared" "the version is the one that the lab declares"

# Which kernel a release brings: the .elN in RHEL's kernels and their rebuilds; SUSE's list of kernel versions
# (https://www.suse.com/support/kb/doc/?id=000019587).
kernel=$(uname -r)
fact kernel "$kernel"
expected=
case $product in
  rhel | centos | rocky | alma) expected="\\.el${seen%%.*}([^0-9]|\$)" ;;
  sles)
    case $seen in
      11) expected='^2\.6\.27\.' ;;
      11.1) expected='^2\.6\.32\.' ;;
      11.[234]) expected='^3\.0\.' ;;
      12 | 12.1) expected='^3\.12\.' ;;
      12.[23]) expected='^4\.4\.' ;;
      12.[45] | 15 | 15.1) expected='^4\.12\.' ;;
      15.[23]) expected='^5\.3\.' ;;
      15.[45]) expected='^5\.14\.' ;;
      15.[67]) expected='^6\.4\.' ;;
    esac ;;
esac
if [ -n "$expected" ]; then match "$kernel" "$expected" "the kernel is one of this release"; fi

# uname(1) names what the lab calls i386 by its processor.
machine=$(uname -m)
case $GC_GUEST_ARCH in
  i386) one_of "$machine" "i386 i486 i586 i686" "the kernel is built for the architecture that the lab declares" ;;
  *) is "$machine" "$GC_GUEST_ARCH" "the kernel is built for the architecture that the lab declares" ;;
esac

done_testing
