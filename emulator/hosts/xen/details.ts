import { currentKiB, disksOf, macOf, memoryKiB, nicsOf, vcpusOf } from '../domain.js'
import { at, text, type Xml } from '../xml.js'
import { cardNumber } from './devices.js'

type Json = string | number | readonly Json[] | { readonly [key: string]: Json | undefined }

/** A domain's configuration as libxl writes it: of one that runs, or as it was read from its file. */
export function detailsOf(xml: Xml, isRunning: boolean): Json {
  const vcpus = vcpusOf(xml)
  const isHvm = text(xml, 'os', 'type') === 'hvm'
  const action = (name: string): string | undefined => {
    const found = text(xml, name)?.replace('rename-restart', 'restart_rename').replaceAll('-', '_')
    return found === 'destroy' ? undefined : found
  }
  const disks = disksOf(xml).map(disk => ({
    pdev_path: disk.file,
    vdev: disk.target,
    format: disk.format,
    ...(disk.kind === 'cdrom' ? { removable: 1 } : {}),
    readwrite: at(disk.xml, 'readonly') ? undefined : 1,
    ...(disk.kind === 'cdrom' ? { is_cdrom: 1 } : {}),
    ...(isRunning && !at(disk.xml, 'added') ? { colo_restore_enable: 'False' } : {}),
  }))
  const cards = nicsOf(xml).map((card, place) => ({
    devid: cardNumber(card, place),
    model: at(card, 'model')?.attributes.type,
    mac: macOf(card),
    ip: at(card, 'ip')?.attributes.address,
    bridge: at(card, 'source')?.attributes.bridge,
    ...(isRunning ? { nictype: 'vif' } : {}),
  }))
  return {
    c_info: {
      type: isHvm ? 'hvm' : 'pv',
      name: text(xml, 'name'),
      ...(isRunning ? { domid: 4294967295 } : {}),
      uuid: text(xml, 'uuid'),
      run_hotplug_scripts: 'True',
    },
    b_info: {
      max_vcpus: vcpus.most,
      avail_vcpus: Array.from({ length: vcpus.now }, (_, number) => number),
      max_memkb: memoryKiB(xml),
      target_memkb: currentKiB(xml),
      ...(isRunning ? { video_memkb: 0 } : {}),
      sched_params: isRunning ? { sched: 'credit2', weight: 256, cap: 0 } : {},
      claim_mode: 'True',
      kernel: text(xml, 'os', 'kernel'),
      cmdline: text(xml, 'os', 'cmdline'),
      ramdisk: text(xml, 'os', 'initrd'),
      bootloader: text(xml, 'bootloader'),
      [isHvm ? 'type.hvm' : 'type.pv']: {},
      arch_arm: {},
      arch_x86: isRunning ? { msr_relaxed: 'False' } : {},
    },
    disks: disks.length === 0 ? undefined : disks,
    nics: cards.length === 0 ? undefined : cards,
    on_poweroff: action('on_poweroff'),
    on_reboot: action('on_reboot'),
    on_crash: action('on_crash'),
    on_soft_reset: 'soft_reset',
  }
}

/** The first domain, of which libxl knows little. */
export function dom0Details(kib: number): Json {
  return {
    c_info: { type: 'pv', name: 'Domain-0' },
    b_info: {
      max_memkb: kib,
      target_memkb: kib - 1,
      sched_params: { sched: 'credit2', weight: 256, cap: 0 },
      'type.pv': {},
      arch_arm: {},
      arch_x86: {},
    },
  }
}

/** JSON in libxl's way of writing it: four blanks a level, an empty line in what is empty. */
export function writeJson(value: Json, indent = ''): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return String(value)
  const inner = `${indent}    `
  const parts = Array.isArray(value)
    ? (value as readonly Json[]).map(item => writeJson(item, inner))
    : Object.entries(value).flatMap(([key, item]) =>
        item === undefined ? [] : [`"${key}": ${writeJson(item as Json, inner)}`],
      )
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  return parts.length === 0
    ? `${open}\n\n${indent}${close}`
    : `${open}\n${parts.map(part => `${inner}${part}`).join(',\n')}\n${indent}${close}`
}
