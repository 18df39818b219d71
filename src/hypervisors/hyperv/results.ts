/** What the methods of Msvm_… classes return (learn.microsoft.com, their pages). */
const results: Readonly<Record<string, string>> = {
  32768: 'failed',
  32769: 'access denied',
  32770: 'not supported',
  32771: 'status is unknown',
  32772: 'timeout',
  32773: 'invalid parameter',
  32774: 'system is in use',
  32775: 'invalid state for this operation',
  32776: 'incorrect data type',
  32777: 'system is not available',
  32778: 'out of memory',
  32779: 'file not found',
}

/** A value that a method returned, with its meaning. */
export function describeResult(code: string): string {
  return `${code}: ${results[code] ?? 'a value that is not documented'}`
}
