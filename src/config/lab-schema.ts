import { z } from 'zod'
import { allowances } from './abilities.js'
import { labFormat } from './format.js'
import { defaultHostLimits } from './host-limits.js'
import { defaultLimits, limitsThatCount } from './limits.js'
import { guestProducts } from './products.js'
import {
  certificate,
  count,
  duration,
  hostKey,
  id,
  moment,
  privateKey,
  secret,
  size,
  text,
  version,
} from './scalars.js'

const sizes = new Set(['output', 'consoleSize', 'moduleMemory'])

const limitsNamed = (names: object) =>
  z.strictObject(
    Object.fromEntries(
      Object.keys(names).map(name => [
        name,
        (limitsThatCount.has(name) ? count : sizes.has(name) ? size : duration).optional(),
      ]),
    ),
  )

const limits = limitsNamed(defaultLimits)

const sudo = z.union([z.literal(true), z.strictObject({ password: secret })])

const login = z.strictObject({
  user: text.optional(),
  key: privateKey.optional(),
  passphrase: secret.optional(),
  password: secret.optional(),
  hostKey: hostKey.optional(),
  algorithms: z.enum(['modern', 'legacy']).optional(),
  sudo: sudo.optional(),
})

const jump = z.union([text, z.array(text).min(1)])

const connect = z.strictObject({
  ssh: text.optional().meta({ description: 'user@host or user@host:port' }),
  api: z
    .string()
    .regex(
      /^https:\/\/[^/\s@]+\/?$/,
      'expected the address of a server, such as "https://vcenter.lab.example"',
    )
    .optional()
    .meta({
      description:
        'Instead of "ssh": the vCenter or ESXi host that is asked, https://host or https://host:port',
    }),
  user: text.optional().meta({ description: 'With "api": who logs in' }),
  certificate: certificate.optional().meta({
    description: 'With "api": the SHA-256 of the server\'s certificate, SHA256: and 64 hexadecimal digits',
  }),
  tls: z
    .enum(['1.0', '1.1', '1.2', '1.3'])
    .optional()
    .meta({ description: 'With "api": the lowest version of TLS; 1.2 if absent' }),
  host: text.optional().meta({ description: 'With "api": the host\'s name in a vCenter' }),
  key: privateKey.optional(),
  passphrase: secret.optional(),
  password: secret.optional(),
  hostKey: hostKey.optional(),
  algorithms: z.enum(['modern', 'legacy']).optional(),
  jump: jump.optional(),
})

const capacity = z.strictObject({
  guests: count.optional(),
  vcpus: count.optional(),
  memory: size.optional(),
  locks: z.array(id).optional().meta({ description: 'What the host has once, by name: a VLAN, a device' }),
})

/** What the drivers of a lab allow its hosts to name. */
export interface HostNames {
  readonly drivers: readonly string[]
  readonly products: readonly string[]
}

const hostSchema = (names: HostNames) =>
  z.strictObject({
    product: z.enum(names.products),
    version,
    driver: z.enum(names.drivers),
    connect: connect.optional(),
    emulated: text.optional().meta({ description: 'The persona that plays this host' }),
    image: id
      .optional()
      .meta({ description: 'The image that "guestcert lab up" boots this host from, in software emulation' }),
    faults: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: 'What the emulated host does wrong; see docs/personas.md' }),
    manageFrom: id.optional(),
    capacity: capacity.optional(),
    limits: limitsNamed(defaultHostLimits)
      .optional()
      .meta({ description: "The driver's waits and bounds for this host; see docs/limits.md" }),
    reserved: z
      .strictObject({
        by: text.meta({ description: 'Whose it is: what `--as` says, or a user name' }),
        until: moment,
        why: text,
      })
      .optional()
      .meta({ description: 'Keeps everybody else off the host until then; see docs/sharing.md' }),
  })

const configuration = z.strictObject({
  name: id.optional(),
  vcpus: count.optional(),
  memory: size.optional(),
  firmware: z.enum(['bios', 'uefi']).optional(),
  generation: z.union([z.literal(1), z.literal(2)]).optional(),
  mode: z.enum(['pv', 'hvm', 'pvh']).optional(),
  machine: id.optional(),
  cpu: text.optional(),
  disk: id.optional(),
  nic: id.optional(),
  tools: text.optional(),
})

const clean = z.union([
  z.literal('none'),
  z.strictObject({ snapshot: text }),
  z.strictObject({ overlay: text }),
  z.strictObject({ copy: text }),
])

const placement = z.strictObject({
  vm: text.optional(),
  address: text.optional().meta({ description: 'host, host:port or [ipv6]:port of a guest that runs' }),
  jump: jump.optional(),
  image: text.optional().meta({
    description: 'An image that "guestcert lab build" made: for qemu its disk, for xl the keys of the guest',
  }),
  clean: clean.optional(),
  via: z.literal('host').optional(),
  migratesTo: id.optional().meta({
    description: 'The host of the same product and version that tests of live migration move it to',
  }),
  locks: z.array(id).optional().meta({
    description: "Locks of the host's capacity that the guest holds, alone, for as long as it is there",
  }),
  configuration,
})

const guest = z.strictObject({
  product: z.enum(guestProducts.map(product => product.id)),
  version,
  edition: text.optional(),
  arch: z.enum(['x86_64', 'i386', 'aarch64', 'ppc64le', 's390x', 'ia64']),
  shell: z.enum(['posix', 'powershell', 'cmd']).optional(),
  login: login.optional(),
  tags: z.array(id).optional(),
  driverSigners: z
    .array(text)
    .min(1)
    .optional()
    .meta({ description: 'Who may have signed the drivers of a Windows guest, as Windows names them' }),
  reboot: z.boolean().optional().meta({
    description:
      'Whether tests may reboot it; a machine that runs already is only rebooted where this says true',
  }),
  allow: z.array(z.enum(allowances)).optional().meta({
    description:
      'What tests may do, by name, to a VM that the lab only lends (clean: none): abilities of its host, "alters-guest", "own-instance"',
  }),
  emulated: text.optional().meta({ description: 'The persona that plays this guest' }),
  faults: z
    .record(z.string(), z.unknown())
    .optional()
    .meta({ description: 'What the emulated guest does wrong; see docs/personas.md' }),
  on: z.record(id, placement),
})

/** What a `lab.yaml` may hold, before names are resolved. */
export const labSchema = (names: HostNames) =>
  z.strictObject({
    format: z
      .literal(labFormat)
      .optional()
      .meta({ description: 'The version of this file; the only one so far, and what is meant without it' }),
    lab: id.meta({ description: "The lab's name, used in records and on hosts" }),
    defaults: z
      .strictObject({
        limits: limits.optional(),
        retries: z
          .int()
          .min(0)
          .max(10)
          .optional()
          .meta({ description: 'New instances after trouble that is not the guest’s' }),
        hostFailures: count.optional().meta({
          description: 'Failed health checks in a row after which a host is set aside for the rest of a run',
        }),
        parallel: count.optional().meta({ description: 'Environments at once, over all hosts' }),
        login: login.optional(),
      })
      .optional(),
    drivers: z.array(text).min(1).optional().meta({
      description: 'Driver modules of your own, relative to this file; see docs/writing-a-driver.md',
    }),
    hosts: z.record(id, hostSchema(names)),
    guests: z.record(id, guest),
    suites: z.array(text).min(1, 'expected at least one suite folder, or "builtin"'),
  })

export type LabFile = z.infer<ReturnType<typeof labSchema>>
export type LoginFile = z.infer<typeof login>
export type PlacementFile = z.infer<typeof placement>
