import t from 'tap'
import { builtinCatalog } from '../hypervisors/registry.js'
import { labOf } from './load.js'
import { parseYaml } from './yaml.js'

function labWith(
  migratesTo: string,
  second = 'version: "9.6", driver: libvirt, capacity: { guests: 1, vcpus: 2 }',
) {
  return labOf(
    parseYaml(
      'lab.yaml',
      `lab: two
hosts:
  a: { product: rhel-kvm, version: "9.6", driver: libvirt, emulated: rhel-9-kvm }
  b: { product: rhel-kvm, emulated: rhel-9-kvm, ${second} }
guests:
  rhel9:
    product: rhel
    version: "9.6"
    arch: x86_64
    emulated: rhel-9
    on:
      a:
        vm: rhel9
        clean: { snapshot: clean }
        migratesTo: ${migratesTo}
        configuration: { vcpus: 2 }
suites: [builtin]
`,
    ),
    builtinCatalog,
  )
}

t.test('a guest may be moved to a second host of the same pairing', async t => {
  t.equal(labWith('b').guests.get('rhel9')?.on[0]?.migratesTo, 'b')
})

t.test('a second host that cannot take it is a mistake with its place', async t => {
  t.throws(() => labWith('c'), { message: /lab\.yaml:15:21: .*unknown host "c"/ })
  t.throws(() => labWith('a'), { message: /"a" cannot take the guest from "a"/ })
  t.throws(() => labWith('b', 'version: "9.4", driver: libvirt'), {
    message: /"b" cannot take the guest from "a": expected another host of the same product and version/,
  })
  t.throws(() => labWith('b', 'version: "9.6", driver: libvirt, capacity: { vcpus: 1 }'), {
    message: /vcpus: 2 is more than host "b" has/,
  })
})
