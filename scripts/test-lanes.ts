/**
 * Real components are few and heavy. Files of one lane share a component, or most of the machine, and run one after the
 * other; lanes run side by side. A file belongs to the first lane that its path fits.
 */
const lanes: readonly { readonly name: string; readonly takes: RegExp }[] = [
  // A Xen under software emulation keeps one core busy for minutes, and shares nothing with the others.
  { name: 'xen', takes: /\bxen\b/ },
  // Guests under software emulation, one at a time.
  {
    name: 'guests',
    takes: /qemu|libvirt|debian|crashing|twin|capture-host|lab\/clean|lab\/images|doctor/,
  },
  // Programs and servers of this machine.
  { name: 'programs', takes: /./ },
]

/** The names of all lanes. */
export const laneNames: readonly string[] = lanes.map(({ name }) => name)

/** The lane of a test file. */
export function laneOf(file: string): string | undefined {
  return lanes.find(({ takes }) => takes.test(file))?.name
}
