#!/bin/sh
# The hypervisor, seen from inside, is the one that the lab declares.
#
# Several witnesses are heard and weighed. A text that is not known says nothing: the firmware of a KVM guest may show
# what its host shows (libvirt's <smbios mode='host'/>) or a cloud's name ("OpenStack Nova"). The test fails where other
# witnesses weigh at least as much as those of the declared hypervisor, and is skipped where there is none at all.
#
#  weight  witness
#  4       /sys/hypervisor/type and /proc/xen: Xen, with PV drivers (Documentation/ABI/stable/sysfs-hypervisor-xen)
#  4       PCI vendors 1af4 and 1b36: Red Hat (virtio, QEMU)
#  3       PCI vendors 5853 XenSource, 1414 Microsoft
#  2       PCI vendors 15ad VMware, 80ee VirtualBox: QEMU emulates cards of VMware, too
#  3       DMI: what the virtual firmware calls the machine, where the name is known; virt-what(1) and
#          systemd-detect-virt(1) ask it, too. Xen PV has none; before Linux 2.6.22 dmidecode(8) is asked
#  3       clock sources kvm-clock and xen
#  2       the kernel's log, and the signature of CPUID leaf 0x40000000 as lscpu(1) shows it
#  1       the same, and the clock source, where they name Hyper-V: KVM and Xen answer so when Hyper-V's
#          enlightenments are on
. "$GUESTCERT/tap.sh"

case ${GC_HYPERVISOR_PRODUCT:-} in
  *-kvm | kvm | rhev) wanted=qemu-kvm ;;
  qemu) wanted=qemu-kvm ;;
  *-xen | xen | xenserver | xcp-ng) wanted=xen ;;
  hyper-v | hyper-v-server) wanted=hyper-v ;;
  esxi | vmware-workstation) wanted=vmware ;;
  none) skip_all "the lab declares no hypervisor" ;;
  *) skip_all "nothing is known of what ${GC_HYPERVISOR_PRODUCT:-no product} looks like from inside" ;;
esac

kvm=0 xen=0 hyperv=0 vmware=0 virtualbox=0
# says KIND WEIGHT WITNESS
says() {
  diag "$3 says $1 (weight $2)"
  case $1 in
    qemu-kvm) kvm=$((kvm + $2)) ;;
    xen) xen=$((xen + $2)) ;;
    hyper-v) hyperv=$((hyperv + $2)) ;;
    vmware) vmware=$((vmware + $2)) ;;
    virtualbox) virtualbox=$((virtualbox + $2)) ;;
  esac
}

if [ "$(cat /sys/hypervisor/type 2>/dev/null)" = xen ] || [ -r /proc/xen/capabilities ]; then
  says xen 4 "/sys/hypervisor or /proc/xen"
fi

dmi() {
  if [ -r "/sys/class/dmi/id/$1" ]; then
    cat "/sys/class/dmi/id/$1"
  else
    dmidecode -s "$2" 2>/dev/null | grep -v '^#' | head -n 1
  fi
}
vendor=$(dmi sys_vendor system-manufacturer)
model=$(dmi product_name system-product-name)
fact dmi "$vendor $model"
case "$vendor|$model" in
  QEMU* | "Red Hat|"* | oVirt* | Bochs* | *"|KVM"* | *"|RHEV Hypervisor"*) says qemu-kvm 3 DMI ;;
  "VMware, Inc."*) says vmware 3 DMI ;;
  "Microsoft Corporation|Virtual Machine"*) says hyper-v 3 DMI ;;
  "Xen|"* | *"|HVM domU"*) says xen 3 DMI ;;
  "innotek GmbH"*) says virtualbox 3 DMI ;;
  "|") ;;
  *) diag "DMI names a machine that says nothing about its hypervisor: $vendor $model" ;;
esac

# Each kind is counted once, however many cards it has.
vendors=" $(cat /sys/bus/pci/devices/*/vendor 2>/dev/null | sort -u | tr '\n' ' ')"
case $vendors in
  *" 0x1af4 "* | *" 0x1b36 "*) says qemu-kvm 4 "PCI vendor Red Hat" ;;
esac
case $vendors in *" 0x5853 "*) says xen 3 "PCI vendor XenSource" ;; esac
case $vendors in *" 0x1414 "*) says hyper-v 3 "PCI vendor Microsoft" ;; esac
case $vendors in *" 0x15ad "*) says vmware 2 "PCI vendor VMware" ;; esac
case $vendors in *" 0x80ee "*) says virtualbox 2 "PCI vendor VirtualBox" ;; esac

sources=" $(cat /sys/devices/system/clocksource/clocksource0/available_clocksource 2>/dev/null) "
fact clocksources "$sources"
case $sources in *" kvm-clock "*) says qemu-kvm 3 "the clock source kvm-clock" ;; esac
case $sources in *" xen "*) says xen 3 "the clock source xen" ;; esac
case $sources in *" hyperv_clocksource"*) says hyper-v 1 "the clock source of Hyper-V" ;; esac

log=$(dmesg 2>/dev/null)
detected=$(printf '%s\n' "$log" | sed -n 's/.*Hypervisor detected: //p' | head -n 1)
signature=$(lscpu 2>/dev/null | sed -n 's/^Hypervisor vendor: *//p' | head -n 1)
# named TEXT WITNESS
named() {
  case $1 in
    KVM*) says qemu-kvm 2 "$2" ;;
    Xen*) says xen 2 "$2" ;;
    VMware*) says vmware 2 "$2" ;;
    Microsoft*) says hyper-v 1 "$2" ;;
  esac
}
named "$detected" "the kernel's log"
named "$signature" "CPUID"
fact hypervisor-weights "kvm $kvm, xen $xen, hyper-v $hyperv, vmware $vmware, virtualbox $virtualbox"

case $wanted in
  qemu-kvm) own=$kvm ;;
  xen) own=$xen ;;
  hyper-v) own=$hyperv ;;
  vmware) own=$vmware ;;
esac
others=0
strongest=nothing
for other in "qemu-kvm $kvm" "xen $xen" "hyper-v $hyperv" "vmware $vmware" "virtualbox $virtualbox"; do
  if [ "${other% *}" != "$wanted" ] && [ "${other#* }" -gt "$others" ]; then
    others=${other#* }
    strongest=${other% *}
  fi
done
[ "$own" -gt 0 ] || [ "$others" -gt 0 ] || skip_all "nothing in the guest says what it runs on"
if [ "$own" -gt "$others" ]; then
  ok "the hypervisor is the one that the lab declares"
else
  not_ok "the hypervisor is the one that the lab declares" "$strongest (weight $others)" "$wanted (weight $own)"
fi

# The CPU says since 2.6.30 or so that there is a hypervisor at all; classic Xen PV kernels may hide it.
release=$(uname -r)
case $(uname -m) in
  x86_64 | i?86) x86=yes ;;
  *) x86=no ;;
esac
if [ "$x86" = yes ] && [ "${release%%.*}" -ge 3 ] && [ "$wanted" != xen ]; then
  match "$(sed -n 's/^flags[[:space:]]*://p' /proc/cpuinfo | head -n 1) " ' hypervisor ' "the CPU says that there is a hypervisor"
fi

# QEMU without KVM looks the same to the firmware and on the buses, but names no KVM: not as a clock, not in CPUID, not
# in the kernel's log. Kernels before 2.6.26 look for none, and "qemu" leaves it open.
emulation="KVM runs the guest, not QEMU's software emulation"
case "$GC_HYPERVISOR_PRODUCT $x86" in
  qemu\ * | *" no") ;;
  *-kvm\ * | kvm\ * | rhev\ *)
    if [ "${release%%.*}" -ge 3 ]; then
      case "$sources $detected $signature" in
        *kvm-clock* | *KVM*) ok "$emulation" ;;
        # QEMU offers Hyper-V's enlightenments with KVM alone.
        *hyperv_clocksource* | *Microsoft*) ok "$emulation" ;;
        *)
          if printf '%s\n' "$log" | grep -F "Linux version $release" >/dev/null; then
            not_ok "$emulation" "no KVM in the whole log of this boot, nor clock source, nor CPUID"
          else
            bail_out "the log of the boot is gone, and neither clock source nor CPUID says whether KVM runs the guest"
          fi ;;
      esac
    fi ;;
esac

# /sys/hypervisor/guest_type: from 4.13 (sysfs-hypervisor-xen). Before, a PV guest is one without DMI.
case $wanted/${GC_MODE:-} in
  xen/pv | xen/hvm | xen/pvh)
    case $(cat /sys/hypervisor/guest_type 2>/dev/null) in
      PV) mode=pv ;;
      HVM) mode=hvm ;;
      PVH) mode=pvh ;;
      *) if [ "$vendor|$model" = "|" ]; then mode=pv; else mode=hvm; fi ;;
    esac
    is "$mode" "$GC_MODE" "the guest runs in the mode that the lab declares" ;;
esac

done_testing
