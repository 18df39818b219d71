import { fromText, toText } from '../../files/bytes.js'
import { writeTo } from '../../programs/io.js'
import type { Call, Program } from '../../system/programs.js'
import { memoryKiB, vcpusOf } from '../domain.js'
import type { Hypervisor } from '../hypervisor.js'
import { Trouble } from '../trouble.js'
import { nameOf, type Vm, xmlOf } from '../vm.js'
import { infoFields, writeFields } from './info.js'
import { cpusOf, dom0KiB, flagsOf } from './list.js'
import { dom0, type XenHost } from './session.js'

const heading = 'Name                                      ID Mem(MiB) VCPUs State   Time(s)'

/**
 * xm, the Python tool over xend, as far as listing and ending domains go; its words are assumed. xend keeps domains
 * that are off, as libvirt does.
 */
export function xmProgram(host: XenHost): Program {
  return async call => {
    if (host.slowMs > 0) await call.process.sleep(host.slowMs)
    const [verb = '', ...words] = call.args.map(toText)
    if (verb === 'list') return list(call, host, words)
    if (verb === 'info') {
      await writeTo(call.process, 1, fromText(writeFields(infoFields({ call, host }))))
      return 0
    }
    const work = actions[verb]
    if (!work) return refuse(call, `Error: Sub Command ${verb} not found!\n`)
    try {
      const vm = find(host.hypervisor, words[0] ?? '')
      if (!vm) return await refuse(call, noDomain(words[0] ?? ''))
      await work(host.hypervisor, vm)
      return 0
    } catch (error) {
      if (!(error instanceof Trouble)) throw error
      return refuse(call, `Error: ${error.message}\n`)
    }
  }
}

const actions: Readonly<Record<string, (hypervisor: Hypervisor, vm: Vm) => Promise<void> | void>> = {
  destroy: (hypervisor, vm) => hypervisor.destroy(vm),
  shutdown: (hypervisor, vm) => hypervisor.shutdown(vm),
  reboot: (hypervisor, vm) => hypervisor.reboot(vm),
  pause: (hypervisor, vm) => hypervisor.suspend(vm),
  unpause: (hypervisor, vm) => hypervisor.resume(vm),
}

function noDomain(word: string): string {
  return `Error: Domain '${word}' does not exist.\n`
}

async function refuse(call: Call, line: string): Promise<number> {
  await writeTo(call.process, 2, fromText(line))
  return 1
}

function find(hypervisor: Hypervisor, word: string): Vm | undefined {
  return hypervisor.list().find(vm => nameOf(vm) === word || String(vm.running?.id) === word)
}

async function list(call: Call, host: XenHost, words: readonly string[]): Promise<number> {
  const { hypervisor } = host
  const named = words.filter(word => !word.startsWith('-'))
  for (const word of named) {
    if (word !== dom0 && !find(hypervisor, word)) return refuse(call, noDomain(word))
  }
  const up = Number(call.system.clock.uptimeNs() / 1_000_000_000n)
  const rows = [
    row(dom0, 0, dom0KiB(host), cpusOf(host), 'r-----', up),
    ...hypervisor.list().map(vm => {
      const seconds = vm.running ? (Date.now() - vm.running.startedMs) / 1000 : 0
      return row(
        nameOf(vm),
        vm.running?.id,
        memoryKiB(xmlOf(vm)),
        vcpusOf(xmlOf(vm)).now,
        flagsOf(vm),
        seconds,
      )
    }),
  ]
  const shown = named.length === 0 ? rows : rows.filter(line => named.includes(line.split(/\s+/)[0] ?? ''))
  await writeTo(call.process, 1, fromText(`${[heading, ...shown].join('\n')}\n`))
  return 0
}

function row(
  name: string,
  id: number | undefined,
  kib: number,
  vcpus: number,
  state: string,
  seconds: number,
): string {
  const memory = String(Math.round(kib / 1024)).padStart(8)
  return `${name.padEnd(40)} ${String(id ?? '').padStart(3)} ${memory} ${String(vcpus).padStart(5)} ${state.padEnd(6)} ${seconds.toFixed(1).padStart(8)}`
}
