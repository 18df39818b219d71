import { isDriver, type Service } from '../store/services.js'
import { type Call, type Program, print } from '../system/context.js'

const typeNumbers = { kernel: 0x1, filesystem: 0x2, own: 0x10, share: 0x20 } as const
const typeNames = {
  kernel: 'KERNEL_DRIVER',
  filesystem: 'FILE_SYSTEM_DRIVER',
  own: 'WIN32_OWN_PROCESS',
  share: 'WIN32_SHARE_PROCESS',
} as const
const stateNumbers = { stopped: 1, 'start-pending': 2, 'stop-pending': 3, running: 4, paused: 7 } as const
const startTexts = {
  boot: '0   BOOT_START',
  system: '1   SYSTEM_START',
  auto: '2   AUTO_START',
  manual: '3   DEMAND_START',
  disabled: '4   DISABLED',
} as const

const unknownService = 'The specified service does not exist as an installed service.'

/** sc.exe: query, queryex, qc, start, stop, interrogate. See learn.microsoft.com/windows-server/administration/windows-commands/sc-query. */
export const sc: Program = async call => {
  const { services } = call.system
  const args = call.args[0]?.startsWith('\\\\') ? call.args.slice(1) : call.args
  const [verb = '', name = '', ...rest] = args
  const lower = verb.toLowerCase()
  call.system.used.add('services')
  if (lower === 'query' || lower === 'queryex') {
    const isFilter = name === '' || /^(?:type|state|bufsize|ri|group)=/i.test(name)
    if (isFilter) return list(call, [name, ...rest].join(' '), lower === 'queryex')
  }
  const service = services.get(name.toLowerCase())
  if (!service)
    return failed(
      call,
      lower === 'query' || lower === 'queryex'
        ? 'EnumQueryServicesStatus:OpenService'
        : lower === 'start'
          ? 'StartService: OpenService'
          : 'OpenService',
      1060,
      unknownService,
    )
  switch (lower) {
    case 'query':
    case 'queryex':
      await print(call, `\r\n${status(service, lower === 'queryex', false)}`)
      return 0
    case 'interrogate':
      if (service.state === 'stopped')
        return failed(call, 'ControlService', 1062, 'The service has not been started.')
      await print(call, `\r\n${status(service, false, false)}`)
      return 0
    case 'qc':
      await print(call, configuration(service))
      return 0
    case 'start':
      if (service.state === 'running')
        return failed(call, 'StartService', 1056, 'An instance of the service is already running.')
      if (service.start === 'disabled')
        return failed(
          call,
          'StartService',
          1058,
          'The service cannot be started, either because it is disabled or because it has no enabled devices associated with it.',
        )
      service.state = 'running'
      service.exitCode = 0
      await print(call, `\r\n${status({ ...service, state: 'start-pending' }, true, false)}`)
      return 0
    case 'stop':
      if (service.state === 'stopped')
        return failed(call, 'ControlService', 1062, 'The service has not been started.')
      if (!service.accepts.includes('stop'))
        return failed(call, 'ControlService', 1052, 'The requested control is not valid for this service.')
      service.state = 'stopped'
      service.pid = 0
      await print(call, `\r\n${status({ ...service, state: 'stop-pending' }, false, false)}`)
      return 0
    default:
      return failed(call, 'Unrecognized command', 1639, '')
  }
}

async function failed(call: Call, what: string, code: number, text: string): Promise<number> {
  await print(call, `[SC] ${what} FAILED ${code}:\r\n\r\n${text}\r\n\r\n`)
  return code
}

async function list(call: Call, filter: string, extended: boolean): Promise<number> {
  const type = /type=\s*(\w+)/i.exec(filter)?.[1]?.toLowerCase() ?? 'service'
  const state = /state=\s*(\w+)/i.exec(filter)?.[1]?.toLowerCase() ?? 'active'
  const found = [...call.system.services.values()].filter(it => {
    const kind = isDriver(it) ? 'driver' : 'service'
    const active = it.state !== 'stopped'
    return (type === 'all' || type === kind) && (state === 'all' || (state === 'inactive') !== active)
  })
  await print(call, found.map(it => `\r\n${status(it, extended, true)}`).join(''))
  return 0
}

function status(service: Service, extended: boolean, named: boolean): string {
  const flags =
    service.state === 'running' ? acceptsText(service) : '(NOT_STOPPABLE, NOT_PAUSABLE, IGNORES_SHUTDOWN)'
  const number = typeNumbers[service.type].toString(16)
  const exit = (code: number): string => `${code}  (0x${code.toString(16)})`
  const own = !isDriver(service)
  return (
    (named
      ? `SERVICE_NAME: ${service.name}\r\nDISPLAY_NAME: ${service.display}\r\n`
      : `SERVICE_NAME: ${service.name} \r\n`) +
    `        TYPE               : ${number}  ${typeNames[service.type]}  \r\n` +
    `        STATE              : ${stateNumbers[service.state]}  ${service.state.toUpperCase().replace('-', '_')} \r\n` +
    `                                ${flags}\r\n` +
    `        WIN32_EXIT_CODE    : ${exit(service.exitCode)}\r\n` +
    `        SERVICE_EXIT_CODE  : 0  (0x0)\r\n` +
    `        CHECKPOINT         : 0x0\r\n` +
    `        WAIT_HINT          : 0x0\r\n` +
    (extended
      ? `        PID                : ${own ? service.pid : 0}\r\n        FLAGS              : \r\n`
      : '')
  )
}

function acceptsText({ accepts }: Service): string {
  const stop = accepts.includes('stop') ? 'STOPPABLE' : 'NOT_STOPPABLE'
  const pause = accepts.includes('pause') ? 'PAUSABLE' : 'NOT_PAUSABLE'
  const down = accepts.includes('preshutdown')
    ? 'ACCEPTS_PRESHUTDOWN'
    : accepts.includes('shutdown')
      ? 'ACCEPTS_SHUTDOWN'
      : 'IGNORES_SHUTDOWN'
  return `(${stop}, ${pause}, ${down})`
}

function configuration(service: Service): string {
  return (
    `[SC] QueryServiceConfig SUCCESS\r\n\r\nSERVICE_NAME: ${service.name}\r\n` +
    `        TYPE               : ${typeNumbers[service.type].toString(16)}  ${typeNames[service.type]}\r\n` +
    `        START_TYPE         : ${startTexts[service.start]}${service.delayed ? '  (DELAYED)' : ''}\r\n` +
    `        ERROR_CONTROL      : 1   NORMAL\r\n` +
    `        BINARY_PATH_NAME   : ${service.path}\r\n` +
    `        LOAD_ORDER_GROUP   : ${service.group}\r\n` +
    `        TAG                : 0\r\n` +
    `        DISPLAY_NAME       : ${service.display}\r\n` +
    `        DEPENDENCIES       : \r\n` +
    `        SERVICE_START_NAME : ${service.account ?? ''}\r\n`
  )
}
