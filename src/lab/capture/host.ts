import { InfraError, UsageError } from '../../config/errors.js'
import type { Limits } from '../../config/limits.js'
import type { Host } from '../../config/model.js'
import { UnknownOutput } from '../../hypervisors/libvirt/output.js'
import type { HostShell } from '../../remote/index.js'
import type { PersonaFile } from './capture.js'
import {
  domainTypes,
  type HostAnswers,
  type HostQuestion,
  hostQuestions,
  libvirtOf,
  neededAnswers,
  networkOf,
  nodeOf,
  productOf,
} from './host-answers.js'
import { captured } from './subject.js'
import { neededXenAnswers, xenQuestions } from './xen-answers.js'
import { makeXenPersona } from './xen-host.js'
import { personaYaml } from './yaml.js'

/** A host that can be logged in to. */
export interface HostCaptureRequest {
  readonly shell: HostShell
  readonly host: Host
  /** What its persona shall be called. */
  readonly name: string
  readonly limits: Limits
  readonly signal: AbortSignal
  /** `guestcert 1.2.3`, for the head of the file. */
  readonly program: string
  readonly now: Date
}

/** What came of a host's capture. */
export interface CapturedHost {
  readonly persona: PersonaFile
  /** What could not be read and is assumed, for people. */
  readonly warnings: readonly string[]
}

/** Reads a live host of libvirt, or of xl, and makes a persona of it. Throws InfraError when it cannot be asked. */
export async function captureHost(request: HostCaptureRequest): Promise<CapturedHost> {
  try {
    return request.host.driver === 'xl'
      ? makeXenPersona(request, await askAll(request, xenQuestions, neededXenAnswers))
      : makeHostPersona(request, await askAll(request, virshQuestions, neededAnswers))
  } catch (error) {
    if (error instanceof UnknownOutput) {
      throw hostError(request.host, error.message)
    }
    throw error
  }
}

const virshQuestions = Object.fromEntries(
  Object.entries(hostQuestions).map(([question, command]) => [
    question,
    command.replace(/^virsh /, 'virsh -c qemu:///system '),
  ]),
) as Record<HostQuestion, string>

async function askAll<Question extends string>(
  request: HostCaptureRequest,
  questions: Readonly<Record<Question, string>>,
  needed: readonly Question[],
): Promise<Partial<Record<Question, string>>> {
  const answers: Partial<Record<Question, string>> = {}
  for (const question of Object.keys(questions) as Question[]) {
    const answer = await ask(request, questions[question], needed.includes(question))
    if (answer !== null) {
      answers[question] = answer
    }
  }
  return answers
}

/** Machines that an emulated hypervisor can run on, by the product's word in os-release(5). */
const machines: Readonly<Record<string, string>> = {
  debian: 'debian-12-libvirt-machine',
  rhel: 'rhel-9-kvm-machine',
}
const otherMachine = 'rhel-9-kvm-machine'

/** Makes the persona of what was learnt; pure. Throws UsageError for a host that a persona cannot describe. */
export function makeHostPersona(
  { host, name, program, now }: Pick<HostCaptureRequest, 'host' | 'name' | 'program' | 'now'>,
  answers: HostAnswers,
): CapturedHost {
  const node = nodeOf(answers)
  if (node.model !== 'x86_64') {
    throw new UsageError(`host "${host.id}" is ${String(node.model)}: personas are x86_64`)
  }
  const libvirt = libvirtOf(answers)
  if (libvirt.uri !== 'qemu:///system') {
    throw new UsageError(
      `host "${host.id}" answers as "${String(libvirt.uri)}": only hosts of qemu:///system can be captured`,
    )
  }
  const { pretty, id } = productOf(answers)
  const network = networkOf(answers)
  const hasImages = answers.pool !== undefined || answers.images !== undefined
  const machine = machines[id] ?? otherMachine
  const seen = host.product !== 'qemu' && domainTypes(answers).includes('kvm') ? 'rhel-9-kvm' : 'qemu-7.2'
  const content = {
    persona: name,
    kind: 'host',
    title: `${pretty ?? `${host.product} ${host.version}`} with libvirt ${String(libvirt.version)}`,
    extends: seen,
    machine: { from: 'assumed', persona: machine },
    node: captured(node),
    libvirt: hasImages ? captured(libvirt) : { ...libvirt, from: 'assumed' },
    network: network === null ? usualNetwork : captured(network),
  }
  const head = [
    `Captured by ${program} on ${now.toISOString().slice(0, 10)} from a live host:`,
    `${host.product} ${host.version}, with virsh version, uri, nodeinfo, capabilities, net-dumpxml and pool-dumpxml.`,
    `What its guests see is not to be had from it: that is ${seen}'s, as captured or assumed there.`,
    'Without addresses of the host, names, keys and UUIDs. Made anew with "guestcert capture".',
  ]
  const warnings = [
    `what its guests see is taken from the persona ${seen}: capture a guest to know it`,
    ...(machines[id] === undefined
      ? [`no machine is known for "${id}": it logs in as ${otherMachine} does`]
      : []),
    ...(network === null ? ['it has no default network: the usual one is assumed'] : []),
    ...(!hasImages
      ? ['it has neither a pool nor a folder of images in the usual place: that place is assumed']
      : []),
  ]
  return { persona: { name, text: personaYaml(content, head) }, warnings }
}

const usualNetwork = { from: 'assumed', kind: 'network', name: 'default', prefix: '192.168.122' }

/** The answer of one command; `null` when the host knows none, which some may do without. */
async function ask(
  { shell, host, limits, signal }: HostCaptureRequest,
  command: string,
  isNeeded: boolean,
): Promise<string | null> {
  // Who logs in without being root may lack the folders of the system's own programs.
  const line = `PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin LC_ALL=C ${command} </dev/null`
  const { exit, stdout, stderr } = await shell.run(line, {
    signal,
    limitMs: limits.test,
    limitName: 'test',
  })
  signal.throwIfAborted()
  if (exit.kind === 'code' && exit.code === 0) {
    return stdout.text
  }
  if (exit.kind === 'code' && !isNeeded) {
    return null
  }
  const how = exit.kind === 'code' ? `ended with status ${exit.code}` : `ended by ${exit.kind}`
  throw hostError(host, `"${command}" ${how} ${stderr.text.trim().slice(-200)}`.trim())
}

function hostError({ id }: Host, why: string): InfraError {
  return new InfraError(`host ${id}: it could not be read: ${why}`, {
    cause: 'host',
    where: id,
    code: 'command',
  })
}
