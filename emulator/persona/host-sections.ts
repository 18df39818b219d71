import { z } from 'zod'
import { fact, name, path, whole } from './facts.js'

/** What only the personas of hosts say. */
export const hostOnly = {
  /** Of hosts: what their guests see. */
  hypervisor: fact({
    id: z.enum(['kvm', 'qemu', 'xen', 'hyper-v', 'vmware', 'none']),
    product: z.string(),
    version: z.string(),
    mode: z.enum(['hvm', 'pv']),
    /** What `lscpu` calls it. */
    vendor: z.string(),
    cpuFlag: z.boolean(),
    clocksources: z.array(z.string()),
    /** /sys/hypervisor, by file. */
    directory: z.record(z.string(), z.string()).default({}),
  }).optional(),
  /** Of hosts that are spoken to: the machine that the hypervisor runs on, a guest's persona in kind. */
  machine: fact({ persona: name }).optional(),
  /** What the host has to give, as `virsh nodeinfo` and `xm info` count it. */
  node: fact({
    model: z.string(),
    mhz: whole,
    cells: whole.min(1),
    sockets: whole.min(1),
    cores: whole.min(1),
    threads: whole.min(1),
    memoryKiB: whole.min(1),
  }).optional(),
  /** The libvirt of the host: how it calls itself and what it drives. */
  libvirt: fact({
    version: z.string().regex(/^\d+\.\d+\.\d+$/),
    uri: z.enum(['qemu:///system', 'xen:///']),
    api: z.string(),
    hypervisor: z.string(),
    emulator: path.optional(),
    images: path,
    format: z.enum(['qcow2', 'raw']),
    machineType: z.string().optional(),
    /** What keeps guests apart, as `virsh dominfo` names it. */
    security: z.strictObject({ model: z.string().min(1), doi: z.string() }).optional(),
  }).optional(),
  /** The Xen of a host without libvirt, as `xl info` tells of it. */
  xen: fact({
    version: z.string().regex(/^\d+\.\d+(?:\.\S+)?$/),
    /** The memory of the first domain. */
    dom0KiB: whole.min(1),
    /** Where the disks of its domains lie; in the usual place, unless said. */
    images: path.optional(),
    /** What else `xl info` tells that is the same at any time, in its order. */
    info: z.record(z.string().regex(/^\w+$/), z.string()),
  }).optional(),
  /** The XenServer or XCP-ng of a host, as `xe host-list` tells of it. */
  xenserver: fact({
    brand: z.string(),
    version: z.string(),
    build: z.string(),
    xapi: z.string(),
    xen: z.string(),
    linux: z.string(),
  }).optional(),
  /** The ESXi of a host, and the vCenter that manages it, as their API tells of them. */
  vsphere: fact({
    version: z.string().regex(/^\d+\.\d+\.\d+$/),
    build: z.string().regex(/^\d+$/),
    vcenter: z.strictObject({ version: z.string(), build: z.string() }),
  }).optional(),
  /** An ESXi that is logged in to, as its own commands tell of it. */
  esxi: fact({
    version: z.string().regex(/^\d+\.\d+\.\d+$/),
    build: z.string().regex(/^\d+$/),
    update: z.string().optional(),
    patch: z.string().optional(),
    vendor: z.string().min(1),
    model: z.string().min(1),
    /** Where its machines lie: its name is a link to its UUID. */
    datastore: z.strictObject({ name: z.string().min(1), uuid: z.string().min(1) }),
  }).optional(),
  /** VMware's product on a Linux host, as `vmware -v` tells of it, and the folder of its machines. */
  vmrun: fact({
    product: z.enum(['VMware Workstation', 'VMware Server']),
    version: z.string().regex(/^\d+(?:\.\d+)+$/),
    build: z.string().regex(/^\d+$/),
    vmrun: z.string().regex(/^\d+(?:\.\d+)+$/),
    folder: path,
  }).optional(),
  /** The Hyper-V of a Windows host, and what its PowerShell, or before 2012 its WMI, tells of the host. */
  hyperv: fact({
    version: z.enum(['2008', '2008 R2', '2012', '2012 R2', '2016', '2019', '2022', '2025']),
    product: z.string().min(1),
    build: whole,
    revision: whole,
    /** The folder of virtual machines, as Get-VMHost has it, or DefaultExternalDataRoot. */
    folder: z.string().regex(/^[A-Z]:\\/),
    /** The machine and its firmware, as Win32_ComputerSystem and Win32_BIOS have them. */
    machine: z.string().min(1),
    firmware: z.string().min(1),
    cpu: z.string().min(1),
  }).optional(),
  /** The network that guests stand in by default. */
  network: fact({
    kind: z.enum(['network', 'bridge']),
    name: z.string(),
    /** The first three numbers of its addresses. */
    prefix: z.string().regex(/^\d+\.\d+\.\d+$/),
    leases: path.optional(),
  }).optional(),
  /** What the clocks of its guests do while they are paused. */
  pausing: fact({ clocks: z.enum(['stopped', 'running']) }).optional(),
  dmi: fact({ values: z.record(z.string(), z.string()) }).optional(),
  cpu: fact({
    vendor_id: z.string(),
    family: whole,
    model: whole,
    name: z.string(),
    stepping: whole,
    mhz: z.number().positive(),
    cacheKb: whole,
    flags: z.array(z.string()),
    addressSizes: z.string(),
  }).optional(),
}
