/** A time span: a number of milliseconds, or a number with its unit, such as `'30s'` or `'10m'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h'}`
