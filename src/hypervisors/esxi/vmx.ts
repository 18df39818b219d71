import { runnerName } from '../shared/claims.js'
import { diskPlaces, type Vmx } from '../shared/vmx.js'

/** The console of an instance's own machine, in its folder. */
export const consoleFile = 'console.log'

/** What a machine is known by, and what belongs to its own folder: another machine has none of it. */
const foreign = [
  /^uuid\.(?:bios|location)$/,
  /^vc\.uuid$/,
  /^sched\.swap\.derivedname$/,
  /^ethernet\d+\.(?:generatedaddress.*|address|addresstype)$/,
  /^extendedconfigfile$/,
  /^nvram$/,
  /^(?:migrate\.hostlog|vmxstats\.filename|checkpoint\.vmstate.*)$/,
  /^serial\d+\./,
]

/**
 * The configuration of an instance, after that of another machine: with a disk, addresses and a console of its own. It
 * asks nobody whether it was moved or copied. Throws Error where the other one has not just one disk.
 */
export function instanceVmx(source: Vmx, { instance, disk }: { instance: string; disk: string }): Vmx {
  const [place, ...others] = diskPlaces(source)
  if (place === undefined || others.length > 0) {
    throw new Error(
      `it has ${others.length + (place === undefined ? 0 : 1)} disks, and only one can be copied`,
    )
  }
  const kept = [...source].filter(([key]) => !foreign.some(pattern => pattern.test(key)))
  const cards = kept.flatMap(([key]) => /^(ethernet\d+)\.present$/.exec(key)?.[1] ?? [])
  return new Map([
    ...kept,
    ['displayname', instance],
    ['annotation', `guestcert: instance ${instance}, made by ${runnerName()}`],
    [`${place}.filename`, disk],
    ...cards.map(card => [`${card}.addresstype`, 'generated'] as const),
    ['uuid.action', 'create'],
    ['msg.autoanswer', 'TRUE'],
    ['answer.msg.uuid.altered', 'I copied it'],
    ['answer.msg.serial.file.open', 'Append'],
    ['serial0.present', 'TRUE'],
    ['serial0.filetype', 'file'],
    ['serial0.filename', consoleFile],
    ['serial0.yieldonmsrread', 'TRUE'],
    ['serial0.trynorxloss', 'FALSE'],
  ])
}
