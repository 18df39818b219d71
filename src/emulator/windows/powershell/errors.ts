import { NetObject, type Value } from './values.js'

/** An error that goes up through a script: a `throw`, a method that failed, a cmdlet told to stop. */
export class PsError extends Error {
  readonly record: NetObject
  /** What it ends where nobody catches it: a `throw` the script, a failed method or cmdlet the statement. */
  readonly ends: 'script' | 'statement'

  constructor(record: NetObject, ends: 'script' | 'statement' = 'script') {
    super(String(record.text()))
    this.record = record
    this.ends = ends
  }
}

/** `exit` of a script. */
export class ExitSignal extends Error {
  readonly code: number

  constructor(code: number) {
    super('exit')
    this.code = code
  }
}

/** `return` of a function or script. */
export class ReturnSignal extends Error {}

export class LoopSignal extends Error {
  readonly how: 'break' | 'continue'

  constructor(how: 'break' | 'continue') {
    super(how)
    this.how = how
  }
}

export interface ErrorFacts {
  readonly message: string
  /** Type of the exception. */
  readonly type?: string
  /** FullyQualifiedErrorId */
  readonly id?: string
  readonly category?: string
  /** What it is about, in the category line. */
  readonly target?: string
  readonly activity?: string
  /** What was thrown, where it was no exception. */
  readonly thrown?: Value
  readonly inner?: NetObject
}

/** Makes an ErrorRecord. */
export function errorRecord(facts: ErrorFacts): NetObject {
  const type = facts.type ?? 'System.Management.Automation.RuntimeException'
  const exception: NetObject = new NetObject(type, {
    get: {
      message: () => facts.message,
      innerexception: () => facts.inner ?? null,
      hresult: () => -2_146_233_087,
      stacktrace: () => '',
    },
    methods: { getbaseexception: (): Value => facts.inner ?? exception },
    text: () => `${type}: ${facts.message}`,
  })
  const short = type.split('.').at(-1) ?? type
  const category = `${facts.category ?? 'NotSpecified'}: (${facts.target ?? ''}:${facts.target === undefined ? '' : 'String'}) [${facts.activity ?? ''}], ${short}`
  return new NetObject('System.Management.Automation.ErrorRecord', {
    get: {
      exception: () => exception,
      targetobject: () => facts.thrown ?? facts.target ?? null,
      fullyqualifiederrorid: () => facts.id ?? short,
      categoryinfo: () =>
        new NetObject('System.Management.Automation.ErrorCategoryInfo', {
          get: {
            category: () => facts.category ?? 'NotSpecified',
            activity: () => facts.activity ?? '',
            reason: () => short,
          },
          text: () => category,
        }),
      scriptstacktrace: () => 'at <ScriptBlock>, <No file>: line 1',
      invocationinfo: () =>
        new NetObject('System.Management.Automation.InvocationInfo', {
          get: { scriptlinenumber: () => 1, line: () => '', positionmessage: () => 'At line:1 char:1' },
        }),
    },
    text: () => facts.message,
    inner: { ...facts, category, id: facts.id ?? short },
  })
}

export function fail(facts: ErrorFacts): PsError {
  return new PsError(errorRecord(facts), 'statement')
}

/** A method of .NET has thrown: PowerShell wraps it. */
export function methodFailure(
  method: string,
  count: number,
  message: string,
  type = 'System.Exception',
): PsError {
  const inner = new NetObject(type, {
    get: { message: () => message, innerexception: () => null },
    text: () => `${type}: ${message}`,
  })
  return fail({
    message: `Exception calling "${method}" with "${count}" argument(s): "${message}"`,
    type: 'System.Management.Automation.MethodInvocationException',
    id: type.split('.').at(-1) ?? type,
    inner,
  })
}

export function notRecognized(name: string): PsError {
  return fail({
    message: `The term '${name}' is not recognized as the name of a cmdlet, function, script file, or operable program. Check the spelling of the name, or if a path was included, verify that the path is correct and try again.`,
    type: 'System.Management.Automation.CommandNotFoundException',
    id: 'CommandNotFoundException',
    category: 'ObjectNotFound',
    target: name,
  })
}

/** The text that the host of PowerShell prints for an error. */
export function errorText(record: NetObject): string {
  const facts = record.inner as (ErrorFacts & { category: string; id: string }) | undefined
  const message = facts?.message ?? record.text()
  const head = facts?.activity ? `${facts.activity} : ${message}` : message
  return `${head}\r\n    + CategoryInfo          : ${facts?.category ?? 'NotSpecified: (:) [], Exception'}\r\n    + FullyQualifiedErrorId : ${facts?.id ?? ''}\r\n \r\n`
}
