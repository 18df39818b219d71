/** What compiled code of a module is given. `import_meta` stands for `import.meta`, and is as long. */
export const moduleParameters = ['exports', 'require', 'module', 'import_meta'] as const

/** A function around code that awaits outside of functions; all on the code's own first line. */
export function wrapAsync(code: string): string {
  return `(async function(${moduleParameters.join(', ')}){${code}\n})`
}
