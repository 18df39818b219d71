/** Faults that the list has no line of, but of whose kind it has one. */
export const unlisted: readonly string[] = [
  'critical target error, dev sdb, sector 8192 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 2',
  'blk_update_request: I/O error, dev vda, sector 4194304 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 0',
  'print_req_error: I/O error, dev nvme0n1, sector 2048',
  'sd 2:0:0:0: [sdb] tag#3 FAILED Result: hostbyte=DID_NO_CONNECT driverbyte=DRIVER_OK cmd_age=0s',
  'nvme nvme1: I/O tag 12 (100c) opcode 0x2 (I/O Cmd) QID 3 timeout, aborting req_op:READ(0) size:4096',
  'nvme nvme0: I/O 22 QID 0 timeout, disable controller',
  'ata2.00: failed command: WRITE FPDMA QUEUED',
  'XFS (vda3): Metadata corruption detected at xfs_agf_read_verify+0xd0/0xf0 [xfs], xfs_agf block 0x1',
  'XFS (sda1): xfs_do_force_shutdown(0x8) called from line 1043 of file fs/xfs/xfs_trans.c.',
  'EXT4-fs error (device dm-1): ext4_lookup:1710: inode #2: comm ls: deleted inode referenced: 12',
  'EXT4-fs (vda1): Delayed block allocation failed for inode 131074 at logical offset 0 with max blocks 8 with error 117',
  'JBD2: Error -5 detected when updating journal superblock for vda1-8.',
  'BTRFS error (device sda2): bdev /dev/sda2 errs: wr 1, rd 0, flush 0, corrupt 0, gen 0',
  'BTRFS warning (device vda): csum failed root 5 ino 257 off 0 csum 0x98f94189 expected csum 0x94f2a5a3 mirror 1',
  'watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [kworker/3:1:118]',
  'NMI watchdog: Watchdog detected hard LOCKUP on cpu 2',
  'rcu: INFO: rcu_sched self-detected stall on CPU',
  'rcu: INFO: rcu_tasks detected stalls on tasks:',
  'INFO: task kworker/u8:2:77 blocked in I/O wait for more than 120 seconds.',
  'WARNING: possible recursive locking detected',
  'WARNING: inconsistent lock state',
  'WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected',
  '[ INFO: inconsistent lock state ]',
  'BUG: KASAN: slab-out-of-bounds in foo+0x10/0x20',
  'BUG: KFENCE: use-after-free read in foo+0x10/0x20',
  'BUG: scheduling while atomic: swapper/0/0/0x00010000',
  'BUG: Bad page state in process kswapd0  pfn:1a2b3',
  'BUG: unable to handle page fault for address: ffffb1c2c0000000',
  'Oops: general protection fault, probably for non-canonical address 0xdead0000000000e8: 0000 [#1] PREEMPT SMP NOPTI',
  'invalid opcode: 0000 [#1] SMP',
  'divide error: 0000 [#1] PREEMPT SMP PTI',
  'Internal error: synchronous external abort: 96000410 [#1] SMP',
  'EDAC MC0: 1 UE memory read error on unknown memory (page:0x0 offset:0x0)',
  'mce: [Hardware Error]: Machine check events logged',
  'pcieport 0000:00:1c.0: AER: Corrected error received: 0000:00:1c.0',
  'kthreadd: page allocation failure: order:4, mode:0x40dc0(GFP_KERNEL|__GFP_COMP|__GFP_ZERO)',
  'Out of memory: Kill process 1234 (mysqld) score 900 or sacrifice child',
  'NETDEV WATCHDOG: CPU: 1: transmit queue 0 timed out 5004 ms',
  'virtio_blk virtio2: output.0:id 100 out of range',
  'attempt\nvda1: rw=2049, sector=41943032, nr_sectors = 16 limit=41940992'.split('\n')[1] ?? '',
]

/** A line that sound machines print, with its severity and where it was seen. */
interface Harmless {
  readonly line: string
  readonly severity: number
  readonly from: string
}

const thisKernel = 'a guest of Firecracker, Linux 6.18.44, dmesg -r'

export const harmless: readonly Harmless[] = [
  {
    line: 'NMI watchdog: Perf NMI watchdog permanently disabled',
    severity: 6,
    from: 'kernel/watchdog_hld.c, Linux 5.4: guests without a PMU',
  },
  {
    line: 'Buffer I/O error on dev sr0, logical block 0, async page read',
    severity: 3,
    from: 'https://github.com/util-linux/util-linux/issues/3012',
  },
  {
    line: 'I/O error, dev sr0, sector 0 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2',
    severity: 3,
    from: 'https://github.com/util-linux/util-linux/issues/3012',
  },
  {
    line: 'blk_update_request: I/O error, dev sr0, sector 0 op 0x0:(READ) flags 0x80700 phys_seg 2 prio class 0',
    severity: 3,
    from: 'https://github.com/ValveSoftware/Proton/issues/813',
  },
  {
    line: 'sr 6:0:0:0: [sr0] tag#0 unaligned transfer',
    severity: 4,
    from: 'https://github.com/ValveSoftware/Proton/issues/813',
  },
  {
    line: 'end_request: I/O error, dev fd0, sector 0',
    severity: 4,
    from: 'block/blk-core.c, Linux 2.6.32: a floppy drive without a disk',
  },
  {
    line: 'end_request: I/O error, dev hdc, sector 0',
    severity: 4,
    from: 'drivers/block/ll_rw_blk.c, Linux 2.6.18: a CD drive without a disk',
  },
  {
    line: 'traps: foo[123] general protection fault ip:400000 sp:7ffc error:0 in foo[400000+1000]',
    severity: 6,
    from: 'arch/x86/kernel/traps.c, Linux 5.4',
  },
  {
    line: 'traps: check[3654] general protection fault ip:8049007 sp:ffd563a0 error:402 in check[8049000+1000]',
    severity: 6,
    from: 'https://github.com/coolsnowwolf/lede/issues/9918',
  },
  {
    line: 'traps: cups-browsed[1499] general protection fault ip:7e00c56ba97a sp:7ffdc57583e8 error:0 in libc.so.6[7e00c5628000+195000]',
    severity: 6,
    from: 'https://github.com/apple/cups/issues/6236',
  },
  {
    line: 'traps: openarc[9640] general protection ip:55ff9fed033f sp:7f533f9ad240 error:0 in openarc[55ff9fec5000+13000]',
    severity: 6,
    from: 'https://github.com/trusteddomainproject/OpenARC/issues/130',
  },
  {
    line: 'node[39633]: segfault at 0 ip 00007f1ebe353532 sp 00007ffede773c60 error 4 in libc-2.19.so[7f1ebe31d000+1a1000]',
    severity: 6,
    from: 'arch/x86/mm/fault.c, Linux 3.16',
  },
  {
    line: 'BTRFS info (device vda2): bdev /dev/vda2 errs: wr 0, rd 0, flush 0, corrupt 0, gen 0',
    severity: 6,
    from: 'fs/btrfs/volumes.c, Linux 5.4',
  },
  {
    line: 'ACPI BIOS Error (bug): Could not resolve symbol [\\_SB.PCI0.XBAS], AE_NOT_FOUND (20220331/psargs-330)',
    severity: 3,
    from: 'https://github.com/pop-os/pop/issues/2769',
  },
  {
    line: 'ACPI Error: Aborting method \\_SB.PEP._STA due to previous error (AE_NOT_FOUND) (20190703/psparse-529)',
    severity: 3,
    from: 'https://github.com/linux-surface/kernel/issues/26',
  },
  {
    line: 'ACPI: Ignoring error and continuing table load',
    severity: 6,
    from: 'https://github.com/pop-os/pop/issues/2769',
  },
  {
    line: 'ACPI BIOS Error (bug): Could not resolve symbol [\\_SB.PCI0.DGPV], AE_NOT_FOUND (20230628/psargs-332)',
    severity: 3,
    from: 'https://github.com/void-linux/void-packages/issues/53934, Linux 6.12',
  },
  {
    line: 'acpi PNP0A08:00: _OSC: platform does not support [SHPCHotplug LTR]',
    severity: 6,
    from: 'https://github.com/linux-surface/kernel/issues/26',
  },
  {
    line: 'piix4_smbus 0000:00:01.3: SMBus base address uninitialized - upgrade BIOS or use force_addr=0xaddr',
    severity: 3,
    from: 'https://github.com/uboslinux/ubos-admin/issues/128',
  },
  {
    line: 'unchecked MSR access error: RDMSR from 0x10a at rIP: 0xffffffff81037b26 (native_read_msr+0x6/0x20)',
    severity: 4,
    from: 'https://github.com/firecracker-microvm/firecracker/issues/814',
  },
  {
    line: 'integrity: Problem loading X.509 certificate -65',
    severity: 3,
    from: 'https://github.com/ublue-os/bazzite/issues/1608',
  },
  {
    line: 'Speculative Store Bypass: Mitigation: Speculative Store Bypass disabled via prctl and seccomp',
    severity: 6,
    from: 'https://github.com/vmware/open-vm-tools/issues/528',
  },
  {
    line: 'SRBDS: Mitigation: TSX disabled',
    severity: 6,
    from: 'https://github.com/vmware/open-vm-tools/issues/528',
  },
  {
    line: 'clocksource: clock= boot option is deprecated - use clocksource=xyz',
    severity: 4,
    from: 'https://github.com/NixOS/nixpkgs/pull/233009, Linux 6.1',
  },
  {
    line: 'Unknown kernel command line parameters "regInfo=/nix/store/x", will be passed to user space.',
    severity: 5,
    from: 'https://github.com/NixOS/nixpkgs/pull/233009, Linux 6.1',
  },
  {
    line: 'printk: bootconsole [earlyser0] disabled',
    severity: 6,
    from: 'https://github.com/gem5/gem5/issues/1317',
  },
  {
    line: 'x86/fpu: Legacy x87 FPU detected.',
    severity: 6,
    from: 'https://github.com/Mirantis/virtlet/issues/629, Linux 4.4',
  },
  {
    line: 'ACPI: Early table checksum verification disabled',
    severity: 5,
    from: 'https://github.com/arighi/virtme-ng/issues/140',
  },
  {
    line: "x86 CPU feature dependency check failure: CPU0 has '18*32+31' enabled but '18*32+26' disabled. Kernel might be fine, but no guarantees.",
    severity: 4,
    from: thisKernel,
  },
  { line: "[Firmware Bug]: TSC doesn't count with P0 frequency!", severity: 4, from: thisKernel },
  { line: 'software IO TLB: No low mem', severity: 4, from: thisKernel },
  {
    line: 'amd_pstate: the _CPC object is not present in SBIOS or ACPI disabled',
    severity: 4,
    from: thisKernel,
  },
  { line: 'testing NMI watchdog ... OK.', severity: 6, from: 'arch/x86_64/kernel/nmi.c, Linux 2.6.18' },
  {
    line: 'PCI: Fatal: No config space access function found',
    severity: 3,
    from: 'arch/x86/pci/init.c, Linux 2.6.32: a PV guest of Xen',
  },
  {
    line: 'i8042.c: No controller found.',
    severity: 3,
    from: 'drivers/input/serio/i8042-x86ia64io.h, Linux 2.6.32',
  },
  { line: 'Fast TSC calibration failed', severity: 3, from: 'arch/x86/kernel/tsc.c, Linux 3.10' },
  {
    line: 'sd 2:0:0:0: [sda] Cache data unavailable',
    severity: 3,
    from: 'drivers/scsi/sd.c, Linux 2.6.32: disks of VMware',
  },
  {
    line: 'sd 2:0:0:0: [sda] Assuming drive cache: write through',
    severity: 3,
    from: 'drivers/scsi/sd.c, Linux 2.6.32',
  },
  {
    line: 'EXT4-fs (vda1): re-mounted. Opts: errors=remount-ro',
    severity: 6,
    from: 'fs/ext4/super.c, Linux 4.19',
  },
  {
    line: 'EXT3-fs warning: maximal mount count reached, running e2fsck is recommended',
    severity: 4,
    from: 'fs/ext3/super.c, Linux 2.6.18',
  },
  {
    line: 'EXT4-fs (sda1): INFO: recovery required on readonly filesystem',
    severity: 6,
    from: 'fs/ext4/super.c, Linux 3.10',
  },
  {
    line: 'XFS (vda3): Deprecated V4 format (crc=0) will not be supported after September 2030.',
    severity: 4,
    from: 'fs/xfs/xfs_super.c, Linux 5.10',
  },
  {
    line: 'XFS (dm-0): Starting recovery (logdev: internal)',
    severity: 5,
    from: 'fs/xfs/xfs_log_recover.c, Linux 5.10',
  },
  {
    line: 'SGI XFS with ACLs, security attributes, large block/inode numbers, no debug enabled',
    severity: 6,
    from: 'fs/xfs/xfs_super.c, Linux 2.6.32',
  },
  { line: 'EDAC MC: Ver: 3.0.0', severity: 6, from: 'drivers/edac/edac_mc_sysfs.c, Linux 3.10' },
  {
    line: 'mce: CPU supports 10 MCE banks',
    severity: 6,
    from: 'arch/x86/kernel/cpu/mcheck/mce.c, Linux 3.10',
  },
  { line: 'MCE: In-kernel MCE decoding enabled.', severity: 6, from: 'drivers/edac/mce_amd.c, Linux 3.10' },
  {
    line: 'pcieport 0000:00:02.0: AER: enabled with IRQ 24',
    severity: 6,
    from: 'drivers/pci/pcie/aer.c, Linux 5.4',
  },
  {
    line: 'ata2: SATA link down (SStatus 0 SControl 300)',
    severity: 6,
    from: 'drivers/ata/libata-core.c, Linux 2.6.32',
  },
  {
    line: 'nvme nvme0: missing or invalid SUBNQN field.',
    severity: 4,
    from: 'drivers/nvme/host/core.c, Linux 4.19',
  },
  {
    line: "clocksource: timekeeping watchdog on CPU0: Marking clocksource 'tsc' as unstable because the skew is too large:",
    severity: 4,
    from: 'kernel/time/clocksource.c, Linux 4.19',
  },
  { line: 'hrtimer: interrupt took 3456789 ns', severity: 4, from: 'kernel/time/hrtimer.c, Linux 4.19' },
  {
    line: 'perf: interrupt took too long (2504 > 2500), lowering kernel.perf_event_max_sample_rate to 79750',
    severity: 6,
    from: 'kernel/events/core.c, Linux 4.9',
  },
  {
    line: 'INFO: NMI handler (perf_event_nmi_handler) took too long to run: 1.234 msecs',
    severity: 6,
    from: 'arch/x86/kernel/nmi.c, Linux 3.10',
  },
  {
    line: 'workqueue: e1000_watchdog [e1000] hogged CPU for >10000us 4 times, consider switching to WQ_UNBOUND',
    severity: 4,
    from: 'kernel/workqueue.c, Linux 6.6',
  },
  {
    line: 'Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible via Spectre v2 BHB attacks!',
    severity: 3,
    from: 'arch/x86/kernel/cpu/bugs.c, Linux 5.17',
  },
  { line: 'x: loading out-of-tree module taints kernel.', severity: 4, from: 'kernel/module.c, Linux 4.19' },
  { line: 'hv_vmbus: Vmbus version:4.0', severity: 6, from: 'drivers/hv/connection.c, Linux 4.18' },
  { line: 'hv_utils: cannot register PTP clock: 0', severity: 3, from: 'drivers/hv/hv_util.c, Linux 4.11' },
  {
    line: 'blkfront: xvda: barrier: enabled',
    severity: 6,
    from: 'drivers/block/xen-blkfront.c, Linux 2.6.32',
  },
  {
    line: 'virtio_blk virtio2: [vda] 41943040 512-byte logical blocks (21.5 GB/20.0 GiB)',
    severity: 5,
    from: 'drivers/block/virtio_blk.c, Linux 4.19',
  },
  { line: 'virtio_net virtio0 enp1s0: renamed from eth0', severity: 6, from: 'net/core/dev.c, Linux 5.10' },
  {
    line: 'IPv6: ADDRCONF(NETDEV_UP): eth0: link is not ready',
    severity: 6,
    from: 'net/ipv6/addrconf.c, Linux 3.10',
  },
  {
    line: 'e1000: eth0 NIC Link is Up 1000 Mbps Full Duplex, Flow Control: RX',
    severity: 6,
    from: 'drivers/net/ethernet/intel/e1000/e1000_main.c, Linux 4.19',
  },
  {
    line: 'FAT-fs (vda15): Volume was not properly unmounted. Some data may be corrupt. Please run fsck.',
    severity: 4,
    from: 'fs/fat/inode.c, Linux 3.10',
  },
  {
    line: 'watchdog: watchdog0: watchdog did not stop!',
    severity: 2,
    from: 'drivers/watchdog/watchdog_dev.c, Linux 4.19',
  },
  {
    line: 'RDSEED32 is broken. Disabling the corresponding CPUID bit.',
    severity: 0,
    from: 'https://github.com/FrameworkComputer/SoftwareFirmwareIssueTracker/issues/186, Linux 6.17: AMD Zen 5',
  },
  { line: 'do_IRQ: 1.55 No irq handler for vector', severity: 0, from: 'arch/x86/kernel/irq.c, Linux 4.19' },
]
