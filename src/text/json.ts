import { badInTerminal } from './controls.js'

/**
 * A value as JSON that may be shown on a terminal: `JSON.stringify` escapes C0 controls alone, and leaves DEL, C1
 * controls, line separators and marks of direction as they are.
 */
export function safeJson(value: unknown, space?: number): string {
  return JSON.stringify(value, null, space).replace(badInTerminal, found =>
    found === '\n' ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
