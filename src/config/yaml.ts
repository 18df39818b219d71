import { readFile } from 'node:fs/promises'
import { isMap, isNode, isScalar, LineCounter, type Node, parseDocument } from 'yaml'
import { ConfigError, type Place, UsageError } from './errors.js'

/** More is not a configuration but an accident or an attack. */
const maxFileBytes = 4 * 1024 * 1024
/** How often aliases may be expanded before a file is refused as a bomb. */
const maxAliasCount = 100

export type Path = readonly (string | number)[]

/** A YAML file read into plain data that still knows where everything stands. */
export interface YamlFile {
  readonly file: string
  readonly data: unknown
  /** The place of the value at a path, or of the nearest enclosing one that exists. */
  place(path: Path): Place
  /** The place of a key itself. */
  placeOfKey(path: Path, key: string): Place
  /** The text of a scalar as it stands in the file, cut to a line; `null` for anything else. */
  textAt(path: Path): string | null
}

/** The part of a file below a path, with paths of its own. */
export function within(yaml: YamlFile, base: Path): YamlFile {
  const data = base.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    yaml.data,
  )
  return {
    file: yaml.file,
    data,
    place: path => yaml.place([...base, ...path]),
    placeOfKey: (path, key) => yaml.placeOfKey([...base, ...path], key),
    textAt: path => yaml.textAt([...base, ...path]),
  }
}

/** Reads a file; a missing one is a UsageError, a mistake in its YAML a ConfigError. */
export async function readYaml(file: string): Promise<YamlFile> {
  let bytes: Buffer
  try {
    bytes = await readFile(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : String(code)
    throw new UsageError(`cannot read ${file}: ${why}`)
  }
  if (bytes.length > maxFileBytes) {
    throw new UsageError(
      `${file} has ${bytes.length} bytes: more than the ${maxFileBytes} that a configuration may have`,
    )
  }
  return parseYaml(file, bytes.toString('utf8'))
}

/** Parses the text of a file; every syntax mistake at once as a ConfigError. */
export function parseYaml(file: string, text: string): YamlFile {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false })
  const placeAt = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset)
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map(error => ({ place: placeAt(error.pos[0]), message: error.message })),
    )
  }
  let data: unknown
  try {
    data = document.toJS({ maxAliasCount })
  } catch (error) {
    const message = `refused: ${error instanceof Error ? error.message : String(error)}`
    throw new ConfigError([{ place: placeAt(0), message }])
  }
  const nodeAt = (path: Path): Node | null => {
    const node = document.getIn(path, true)
    return isNode(node) ? node : null
  }
  const place = (path: Path): Place => {
    for (let length = path.length; length >= 0; length -= 1) {
      const node = length === 0 ? document.contents : nodeAt(path.slice(0, length))
      if (node?.range) {
        return placeAt(node.range[0])
      }
    }
    return placeAt(0)
  }
  return {
    file,
    data,
    place,
    placeOfKey: (path, key) => {
      const map = path.length === 0 ? document.contents : nodeAt(path)
      const pair = isMap(map)
        ? map.items.find(item => isScalar(item.key) && String(item.key.value) === key)
        : undefined
      const range = isScalar(pair?.key) ? pair.key.range : undefined
      return range ? placeAt(range[0]) : place(path)
    },
    textAt: path => {
      const node = nodeAt(path)
      return isScalar(node) ? String(node.source ?? node.value).slice(0, 80) : null
    },
  }
}
