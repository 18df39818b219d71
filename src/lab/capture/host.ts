import { InfraError, UsageError } from '../../config/errors.js'
import type { Limits } from '../../config/limits.js'
import type { Host } from '../../config/model.js'
import { UnknownOutput } from '../../hypervisors/shared/unknown-output.js'
import type { HostShell } from '../../remote/index.js'
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
import { type CapturedHost, hostPersona, type PersonaRequest } from './host-persona.js'
import { captured } from './subject.js'
import { neededXenAnswers, xenQuestions } from './xen-answers.js'
import { makeXenPersona } from './xen-host.js'

/** A host that can be logged in to. */
export interface HostCaptureRequest extends PersonaRequest {
  readonly shell: HostShell
  readonly host: Host
  readonly limits: Limits
  readonly signal: AbortSignal
}

/** Reads a live host of libvirt, or of xl, and makes a persona of it. Throws InfraError when it cannot be asked. */
export async function captureHost(request: HostCaptureRequest): Promise<CapturedHost> {
  try {
    return request.host.driver.hostTool === 'xl'
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
export function makeHostPersona(request: PersonaRequest, answers: HostAnswers): CapturedHost {
  const { host } = request
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
  const seen = host.product !== 'qemu' && domainTypes(answers).includes('kvm') ? 'rhel-9-kvm' : 'qemu-7.2'
  const warnings = [
    ...(network === null ? ['it has no default network: the usual one is assumed'] : []),
    ...(!hasImages
      ? ['it has neither a pool nor a folder of images in the usual place: that place is assumed']
      : []),
  ]
  return hostPersona(request, {
    title: `with libvirt ${String(libvirt.version)}`,
    system: { pretty, id },
    seen,
    machines,
    otherMachine,
    sections: {
      node: captured(node),
      libvirt: hasImages ? captured(libvirt) : { ...libvirt, from: 'assumed' },
      network: network === null ? usualNetwork : captured(network),
    },
    asked: 'virsh version, uri, nodeinfo, capabilities, net-dumpxml and pool-dumpxml',
    warnings,
  })
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
