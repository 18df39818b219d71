import { labelMistake } from '../config/labels.js'
import { parseDurationMs } from '../config/units.js'
import { parseShard } from '../plan/shard.js'
import { outputMistake } from '../reports/outputs.js'
import type { ArgumentSpec, FlagSpec } from './spec.js'

const dayMs = 86_400_000

/** Like a lab's durations (`90s`, `12h`), and days: `30d`. In ms, or `null`. */
export function parseAgeMs(text: string): number | null {
  const days = /^(\d+)d$/.exec(text)?.[1]
  return days === undefined ? parseDurationMs(text) : Number(days) * dayMs
}

/** What is wrong with a value, or `null`. */
export function mistakeIn(spec: FlagSpec | ArgumentSpec, value: string): string | null {
  if (value === '') return 'is empty'
  if (spec.choices !== undefined && !spec.choices.includes(value)) {
    return `must be ${either(spec.choices)}, not "${value}"`
  }
  const kind = 'kind' in spec ? spec.kind : 'text'
  if (kind === 'count') {
    const least = ('least' in spec ? spec.least : undefined) ?? 0
    const fits = /^\d{1,6}$/.test(value) && Number(value) >= least
    return fits ? null : `must be a whole number from ${least}, not "${value}"`
  }
  if (kind === 'duration' && parseAgeMs(value) === null) {
    return `must be a time like 30d, 12h or 1h30m, not "${value}"`
  }
  if (kind === 'shard' && parseShard(value) === null) {
    return `must be INDEX/COUNT, from 1/COUNT to COUNT/COUNT, not "${value}"`
  }
  if (kind === 'output') return outputMistake(value)
  return kind === 'label' ? labelMistake(value) : null
}

/** `a, b or c`. */
export function either(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
