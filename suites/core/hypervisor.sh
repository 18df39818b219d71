#!/bin/sh
# The hypervisor, seen from inside, is the one that the lab declares.
#
# Witnesses, the most reliable first. The hypervisor's CPUID signature is none of them: KVM and Xen answer with
# Hyper-V's when its enlightenments are on (leaves 0x40000000 and 0x40000100), and old kernels then say in their log
# that they found Hyper-V.
#  1. /sys/hypervisor/type and /proc/xen: Xen, with PV drivers (Documentation/ABI/stable/sysfs-hypervisor-xen).
#  2. DMI: what the virtual firmware calls the machine; also asked by virt-what(1) and systemd-detect-virt(1).
#     Xen PV has none; a kernel before 2.6.22 has no /sys/class/dmi, there dmidecode(8) is asked.
#  3. PCI vendors: 1af4 and 1b36 Red Hat (virtio, QEMU), 15ad VMware, 5853 XenSource, 1414 Microsoft.
#  4. The kernel's log.
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

kind=
witness=
says() {
  diag "$2 says $1"
  [ -n "$kind" ] || { kind=$1; witness=$2; }
}

if [ "$(cat /sys/hypervisor/type 2>/dev/null)" = xen ] || [ -r /proc/xen/capabilities ]; then
  says xen "/sys/hypervisor or /proc/xen"
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
  QEMU* | "Red Hat|"* | oVirt* | Bochs* | *"|KVM"* | *"|RHEV Hypervisor"*) says qemu-kvm DMI ;;
  "VMware, Inc."*) says vmware DMI ;;
  "Microsoft Corporation|Virtual Machine"*) says hyper-v DMI ;;
  "Xen|"* | *"|HVM domU"*) says xen DMI ;;
  "innotek GmbH"*) says virtualbox DMI ;;
  "|") ;;
  *) says "something else ($vendor $model)" DMI ;;
esac

# shellcheck disable=SC2013 # a vendor is one word
for pci in $(cat /sys/bus/pci/devices/*/vendor 2>/dev/null | sort -u); do
  case $pci in
    0x1af4 | 0x1b36) says qemu-kvm "PCI vendor $pci" ;;
    0x15ad) says vmware "PCI vendor $pci" ;;
    0x5853) says xen "PCI vendor $pci" ;;
    0x1414) says hyper-v "PCI vendor $pci" ;;
    0x80ee) says virtualbox "PCI vendor $pci" ;;
  esac
done

detected=$(dmesg 2>/dev/null | sed -n 's/.*Hypervisor detected: //p' | head -n 1)
case $detected in
  KVM*) says qemu-kvm "the kernel's log" ;;
  VMware*) says vmware "the kernel's log" ;;
  "Microsoft Hyper"*) says hyper-v "the kernel's log" ;;
  Xen*) says xen "the kernel's log" ;;
esac

fact hypervisor-witness "${witness:-none}"
is "$kind" "$wanted" "the hypervisor is the one that the lab declares"

# The CPU says since 2.6.30 or so that there is a hypervisor at all; classic Xen PV kernels may hide it.
release=$(uname -r)
case $(uname -m) in
  x86_64 | i?86) x86=yes ;;
  *) x86=no ;;
esac
if [ "$x86" = yes ] && [ "${release%%.*}" -ge 3 ] && [ "$wanted" != xen ]; then
  match "$(sed -n 's/^flags[[:space:]]*://p' /proc/cpuinfo | head -n 1) " ' hypervisor ' "the CPU says that there is a hypervisor"
fi

# QEMU without KVM looks the same to all witnesses above, but has no KVM clock to offer. Kernels before 2.6.26 cannot
# use it, and "qemu" leaves it open.
sources=$(cat /sys/devices/system/clocksource/clocksource0/available_clocksource 2>/dev/null)
fact clocksources "$sources"
case "$GC_HYPERVISOR_PRODUCT $x86 $sources" in
  qemu\ * | *" no "* | *" yes ") ;;
  *-kvm\ * | kvm\ * | rhev\ *)
    if [ "${release%%.*}" -ge 3 ]; then
      match "$sources $detected" 'kvm-clock|KVM' "KVM runs the guest, not QEMU's software emulation"
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
