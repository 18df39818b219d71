/** What other folders need to reach machines. */
export { connect } from './connect.js'
export type { CommandResult, Machine, Output, RunOptions, Sink } from './machine.js'
export {
  type Backoff,
  bootBackoff,
  connectWithRetries,
  isWorthRetrying,
  type RetryOptions,
} from './retries.js'
export { quote } from './shells/quote.js'
export { markVariable } from './shells/wrap.js'
export { parseSweep, type SweepOptions, type Swept, sweep, sweepCommand } from './sweep.js'
export type { ConnectOptions, ConnectTarget } from './target.js'
export {
  type CarriedFile,
  carry,
  fetch,
  type TransferOptions,
  type Upload,
  uploadCommand,
} from './transfer.js'
export { openWindows, WindowsMachine } from './windows-machine.js'
