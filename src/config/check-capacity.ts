import type { Mistake } from './errors.js'
import type { PlacementFile } from './lab-schema.js'
import type { Configuration, Host } from './model.js'
import { nearest } from './nearest.js'
import { formatSize } from './units.js'
import type { Path, YamlFile } from './yaml.js'

interface PlacedGuest {
  readonly host: Host
  readonly placement: PlacementFile
  readonly configuration: Configuration
  /** Where the placement stands. */
  readonly path: Path
  readonly yaml: YamlFile
}

/** What a host can never give, or could not count, is a mistake of the lab: found before anything waits for it. */
export function capacityMistakes(placed: PlacedGuest): Mistake[] {
  return [...countMistakes(placed), ...lockMistakes(placed)]
}

function countMistakes({ host, configuration, path, yaml }: PlacedGuest): Mistake[] {
  const { id, capacity } = host
  const { vcpus, memoryBytes } = configuration
  const counted = [
    { key: 'vcpus', wanted: vcpus, has: capacity.vcpus, format: String },
    { key: 'memory', wanted: memoryBytes, has: capacity.memoryBytes, format: formatSize },
  ] as const
  const place = [...path, 'configuration']
  return counted.flatMap(({ key, wanted, has, format }) => {
    if (wanted === undefined && Number.isFinite(has)) {
      const message = `the capacity of host "${id}" counts ${key}: expected "${key}" in the configuration`
      return [{ place: yaml.place(place), message }]
    }
    if (wanted !== undefined && wanted > has) {
      const message = `${key}: ${format(wanted)} is more than host "${id}" has: its capacity is ${format(has)}`
      return [{ place: yaml.place([...place, key]), message }]
    }
    return []
  })
}

function lockMistakes({ host: { id, capacity }, placement, path, yaml }: PlacedGuest): Mistake[] {
  return (placement.locks ?? []).flatMap((lock, index) => {
    if (capacity.locks.includes(lock)) {
      return []
    }
    const near = nearest(lock, capacity.locks)
    const hint = near === null ? `it has ${capacity.locks.join(', ') || 'none'}` : `did you mean "${near}"?`
    const message = `"${lock}" is not a lock in the capacity of host "${id}": ${hint}`
    return [{ place: yaml.place([...path, 'locks', index]), message }]
  })
}
