import { SystemError } from '../../files/errno.js'
import { HostRefusal, type HostRow, type HostScript } from '../../windows/powershell/host-texts.js'
import { digestOf } from '../../windows/powershell/texts.js'
import { Trouble } from '../trouble.js'
import { answers } from './answers.js'
import type { HyperVHost } from './front.js'
import type { HyperVText } from './texts.js'

/** By the first half of its SHA-256: the one script that guestcert carries to hosts of 2008 and 2008 R2. */
const scriptDigest = '504f7e86fbcb3cdea676f2b4824cec27'

/** The method of `root\virtualization` behind each text that changes something, and whether it answers with a job. */
const methods: Readonly<Partial<Record<HyperVText, string>>> = {
  'make-disk': 'CreateDifferencingVirtualHardDisk',
  clone: 'DefineVirtualSystem',
  notes: 'ModifyVirtualSystem',
  start: 'RequestStateChange',
  'turn-off': 'RequestStateChange',
  reset: 'RequestStateChange',
  suspend: 'RequestStateChange',
  resume: 'RequestStateChange',
  checkpoint: 'CreateVirtualSystemSnapshot',
  restore: 'ApplyVirtualSystemSnapshot',
  'remove-snapshot': 'RemoveVirtualSystemSnapshot',
  remove: 'DestroyVirtualSystem',
}

/** What these versions cannot do, or nobody is known to have done on them. */
const absent: readonly string[] = [
  'attach-disk',
  'detach-disk',
  'attach-nic',
  'detach-nic',
  'memory',
  'nmi',
  'screenshot',
]

/** EnabledState, as nova's vmutils.py and os-win have the numbers. */
const states: Readonly<Record<string, string>> = {
  Running: '2',
  Off: '3',
  Paused: '32768',
  Saved: '32769',
  Stopping: '32774',
}

/** Carries out the script of guestcert for hosts without PowerShell; what it does is from the pages that its texts name. */
export function hyperVScript(host: HyperVHost): HostScript {
  return {
    knows: script => digestOf(script) === scriptDigest,
    carryOut: async (name, args, sleep) => {
      if (!Object.hasOwn(answers, name) || absent.includes(name)) {
        // gcTexts[name] is undefined: calling it is JScript's error 5002.
        throw new HostRefusal('Script', '800A138A', 'Function expected')
      }
      const text = name as HyperVText
      host.onText(text)
      await sleep(host.faults.slow?.ms ?? 0)
      const { lateFailure } = host.faults
      if (lateFailure !== undefined && new RegExp(lateFailure.command).test(name)) {
        throw failed(host, text, 'The operation failed.')
      }
      try {
        const rows = await answers[text](host, args)
        return rows.map((row, index) => rowOf(host, text, row, index))
      } catch (error) {
        throw refusalOf(host, text, error)
      }
    },
  }
}

/** A row as these versions tell it: states are numbers, and the guests of 2008 tell no addresses. */
function rowOf({ persona }: HyperVHost, text: HyperVText, row: HostRow, index: number): HostRow {
  const { state } = row
  switch (text) {
    case 'facts':
      return { ...row, revision: null }
    case 'list':
    case 'look':
    case 'state':
      return { ...row, state: states[String(state)] ?? state ?? null }
    case 'addresses':
      return { ...row, given: persona.hyperv.version === '2008' || index > 0 ? [] : (row.given ?? []) }
    case 'reset':
      if (row.code === '32775') throw new HostRefusal('Return', '32775', 'RequestStateChange')
      return { code: '0' }
    default:
      return row
  }
}

/** A job that ended in failure. Its words and its number are assumed: nothing is decided by them. */
function failed({ faults }: HyperVHost, text: HyperVText, why: string): HostRefusal {
  return new HostRefusal('Job', '32768', `${methods[text] ?? text}: ${faults.localised?.message ?? why}`)
}

function refusalOf(host: HyperVHost, text: HyperVText, error: unknown): unknown {
  if (error instanceof HostRefusal) {
    if (error.id.startsWith('InvalidParameter')) return new HostRefusal('NotFound', '', error.message)
    if (error.id.startsWith('InvalidState')) return new HostRefusal('Return', '32775', methods[text] ?? text)
    if (error.id.startsWith('ObjectNotFound')) return new HostRefusal('NoSnapshot', '', error.message)
    return error
  }
  if (error instanceof SystemError) {
    // What FileSystemObject throws: 53 is "file not found", and 61 "disk full" (learn.microsoft.com, trappable errors).
    if (error.code === 'ENOSPC')
      return failed(host, text, 'There is not enough space on the disk. (0x80070070)')
    return new HostRefusal('Script', '800A0035', 'File not found')
  }
  if (!(error instanceof Trouble)) return error
  return error.kind === 'invalid'
    ? new HostRefusal('Return', '32775', methods[text] ?? text)
    : failed(host, text, error.message)
}
