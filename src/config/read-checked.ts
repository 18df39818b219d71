import { resolve } from 'node:path'
import type { z } from 'zod'
import { check } from './check.js'
import { ConfigError } from './errors.js'
import { readYaml } from './yaml.js'

/**
 * Reads a YAML file that must fit a schema. @throws UsageError when it cannot be read, ConfigError with every mistake in
 * it.
 */
export async function readChecked<T extends z.ZodType>(file: string, schema: T): Promise<z.infer<T>> {
  const yaml = await readYaml(resolve(file))
  const { data, mistakes } = check(yaml, schema)
  if (data === null) throw new ConfigError(mistakes)
  return data
}
