/** The configuration of a machine: its settings by their names in lower case. */
export type Vmx = ReadonlyMap<string, string>

/** Reads a configuration file (`key = "value"`); `|22` stands for a quote. */
export function parseVmx(text: string): Vmx {
  return new Map(
    text.split(/\r?\n/).flatMap(line => {
      const [, key, value = ''] = /^\s*([\w.:-]+)\s*=\s*"(.*)"\s*$/.exec(line) ?? []
      return key === undefined ? [] : [[key.toLowerCase(), value.replaceAll('|22', '"')]]
    }),
  )
}

/** A configuration as the host reads it. */
export function vmxText(vmx: Vmx): string {
  return [...vmx].map(([key, value]) => `${key} = "${value.replaceAll('"', '|22')}"\n`).join('')
}

/** The disks of a machine, by their places: `scsi0:0`. */
export function diskPlaces(vmx: Vmx): string[] {
  return [...vmx].flatMap(([key, value]) => {
    const place = /^((?:scsi|sata|ide|nvme)\d+:\d+)\.filename$/.exec(key)?.[1]
    const isPresent = vmx.get(`${place}.present`)?.toUpperCase() !== 'FALSE'
    return place !== undefined && isPresent && /\.vmdk$/i.test(value) ? [place] : []
  })
}
