/** What other folders need to reach machines. */
export { anyOf, onAbort, untilAborted } from '../deadline/signals.js'
export { RefusedLogin } from './authentication.js'
export { connectToFirst, furthest } from './candidates.js'
export { connect } from './connect.js'
export { describeOwner, type LeaseAnswer } from './lease/answer.js'
export type { HostShell } from './lease/ask.js'
export { type Lease, lookAtLease, takeLease } from './lease/lease.js'
export type { LeaseQuestion } from './lease/script.js'
export { isShared } from './lent.js'
export type { CommandResult, Machine, RunOptions, Sink } from './machine.js'
export { obstacles } from './preflight.js'
export { backoffMs, bootBackoff, connectToAny, connectWithRetries, type RetryOptions } from './retries.js'
export { resolveSecret, secretSources } from './secrets.js'
export { NotCarriedOut } from './shells/not-begun.js'
export { quote } from './shells/quote.js'
export { registryFunction } from './shells/windows/powershell-text.js'
export type { HostRequest, ServiceValue } from './shells/windows/service.js'
export { Stillness } from './stillness.js'
export { parseSweep, sweep, sweepCommand } from './sweep.js'
export type { ConnectOptions, ConnectTarget } from './target.js'
export { openTerminal } from './terminal.js'
export {
  type CarriedFile,
  carry,
  fetch,
  type Upload,
  type UploadWay,
  uploadCommand,
} from './transfer.js'
export { openWindows, WindowsMachine } from './windows-machine.js'
