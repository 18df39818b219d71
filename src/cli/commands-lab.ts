import { asFlag, jsonFlag, machineFlags } from './flags.js'
import type { CommandSpec } from './spec.js'

const group = 'Labs and suites'

/** Commands that make and keep what a pass needs. */
export const labCommands: readonly CommandSpec[] = [
  {
    path: ['init'],
    group,
    summary: 'Write a lab file to begin with',
    description: [
      'Writes a commented lab file that explains itself. A file that is there is never overwritten.',
    ],
    arguments: [
      { name: 'FILE', description: 'Where to; lab.yaml if not said', optional: true, completes: 'file' },
    ],
    flags: [],
    examples: [{ line: 'guestcert init', does: 'Write lab.yaml in this folder' }],
    exits: [0, 2, 4],
    module: 'init',
  },
  {
    path: ['lab', 'build'],
    group,
    summary: 'Build a bootable guest image',
    description: [
      "Builds an image from the operating system's own packages, with a key login and a host key that are known beforehand. An image is built once for its recipe and then taken from the cache.",
    ],
    arguments: [
      {
        name: 'IMAGE',
        description: 'Which image: a name, or the path of a recipe of your own',
        suggests: ['debian', 'debian-generic', 'debian-xen', 'xen-dom0'],
      },
    ],
    flags: [{ name: 'force', description: 'Build it again, though the cache has it', group: 'General' }],
    examples: [
      { line: 'guestcert lab build debian', does: 'The image that fixtures/labs/qemu-debian.yaml boots' },
    ],
    exits: [0, 2, 3, 4],
    module: 'lab',
  },
  {
    path: ['lab', 'up'],
    group,
    summary: 'Start the emulated guests and hosts of a lab',
    description: [
      'Boots the hosts that the lab has images of, in software emulation. Starts what the lab emulates, as a process of its own with lasting ports and host keys. "guestcert run" uses it while it is up, and starts it inside itself when it is not.',
    ],
    arguments: [
      {
        name: 'LAB',
        description: 'The lab file, or xen for the Xen host that ships with the program',
        completes: 'file',
      },
    ],
    flags: [],
    examples: [
      { line: 'guestcert lab up fixtures/labs/showcase.yaml', does: 'Guests to log in to with ssh' },
      { line: 'guestcert lab up xen', does: 'The real Xen and its dom0, in QEMU' },
    ],
    exits: [0, 2, 3, 4],
    module: 'lab',
  },
  {
    path: ['lab', 'down'],
    group,
    summary: 'Stop the emulated guests and hosts of a lab',
    description: ['Stops what "guestcert lab up" has started for this lab, and nothing else.'],
    arguments: [
      {
        name: 'LAB',
        description: 'The lab file, or xen for the Xen host that ships with the program',
        completes: 'file',
      },
    ],
    flags: [],
    examples: [{ line: 'guestcert lab down fixtures/labs/showcase.yaml', does: 'Stop them' }],
    exits: [0, 2, 3, 4],
    module: 'lab',
  },
  {
    path: ['lab', 'clean'],
    group,
    summary: 'Remove what dead runs left on the hosts of a lab',
    description: [
      'Ends instances of runs that are dead and removes their domains, overlays and copies, their folders and processes on guests that run already, and leases that nobody renews. What belongs to a run that lives stays: one that has the lease of the host, or whose runner still runs here.',
      'A lease that has expired is looked at for a while first, to see that nobody renews it. A host that cannot be reached is said, and holds up no other.',
    ],
    arguments: [{ name: 'LAB', description: 'The lab file, e.g. lab.yaml', completes: 'file' }],
    flags: [
      { name: 'dry-run', description: 'Say what would be removed, and remove nothing', group: 'General' },
      {
        name: 'kept',
        description: 'Remove guests, too, that --keep left running',
        group: 'Choice',
      },
      asFlag,
    ],
    examples: [
      { line: 'guestcert lab clean lab.yaml --dry-run', does: 'What dead runs left' },
      { line: 'guestcert lab clean lab.yaml', does: 'Remove it' },
    ],
    exits: [0, 2, 3, 4, 130],
    module: 'clean',
  },
  {
    path: ['doctor'],
    group,
    summary: 'Look at every host and guest before a pass',
    description: [
      'Logs in to what can be reached and looks: host key, product and version as declared, tools, capacity, clean states, clocks, free space. Nothing is started or changed. What is emulated is started inside, unless it is up.',
      'A check that rests on one that is not ok is not carried out, and is shown so. Only when every check was carried out and is ok does it end with 0.',
    ],
    arguments: [{ name: 'LAB', description: 'The lab file, e.g. lab.yaml', completes: 'file' }],
    flags: [
      ...machineFlags,
      {
        name: 'clock',
        value: 'TIME',
        kind: 'duration',
        description: 'How far clocks may be apart',
        default: '5s',
        group: 'Checks',
      },
      {
        name: 'free-space',
        value: 'SIZE',
        description: 'What must be free where instances are made and where tests write',
        default: '512MiB',
        group: 'Checks',
      },
      {
        name: 'check-limit',
        value: 'TIME',
        kind: 'duration',
        description: 'How long one check may take',
        default: '1m',
        group: 'Checks',
      },
      {
        name: 'parallel',
        value: 'N',
        kind: 'count',
        least: 1,
        description: 'Checks at once',
        default: '8',
        group: 'Checks',
      },
      jsonFlag,
    ],
    examples: [{ line: 'guestcert doctor lab.yaml', does: 'What is missing before a pass' }],
    exits: [0, 2, 3, 4, 130],
    module: 'doctor',
  },
  {
    path: ['capture'],
    group,
    summary: 'Make a persona of a live guest or host',
    description: [
      'Logs in to a guest of the lab, reads what the suites read (files, commands and their output), and writes a persona that answers the same. Every fact in it says that it was captured, when and from what.',
      'Without a guest, the host that --host names is captured itself: its libvirt or xl is asked, and nothing is started there.',
    ],
    arguments: [
      { name: 'LAB', description: 'The lab file', completes: 'file' },
      { name: 'GUEST', description: 'A guest of the lab', optional: true },
    ],
    flags: [
      {
        name: 'host',
        value: 'NAME',
        description:
          'The host that runs it, if it is placed on several; without a guest, the host to capture',
        group: 'Choice',
      },
      {
        name: 'name',
        value: 'NAME',
        description: "The persona's name; the guest's or host's if not said",
        group: 'Output',
      },
      {
        name: 'output',
        alias: 'o',
        value: 'DIR',
        description: 'Where the persona goes',
        default: 'personas',
        completes: 'folder',
        group: 'Output',
      },
    ],
    examples: [
      {
        line: 'guestcert capture lab.yaml debian-12 --name debian-12-qemu',
        does: 'Write personas/debian-12-qemu',
      },
      { line: 'guestcert capture lab.yaml --host kvm-1', does: 'Write personas/hosts/kvm-1' },
    ],
    exits: [0, 2, 3, 4],
    module: 'capture',
  },
  {
    path: ['prove'],
    group,
    summary: 'Show that tests can fail',
    description: [
      'Runs each test on the personas that it must pass on, and on the mutants that it must fail on, as its manifest names them. A test that passes on its mutant proves nothing, and fails here.',
    ],
    arguments: [
      {
        name: 'SUITE',
        description: 'Folders of suites; those that ship with the program if none is said',
        optional: true,
        repeatable: true,
        completes: 'folder',
      },
    ],
    flags: [
      {
        name: 'test',
        value: 'GLOB',
        description: 'Tests of this name, with or without their suite',
        repeatable: true,
        group: 'Choice',
      },
      {
        name: 'parallel',
        value: 'N',
        kind: 'count',
        least: 1,
        description: 'Emulated guests at once',
        group: 'Run',
      },
      jsonFlag,
    ],
    examples: [{ line: "guestcert prove ./our-suites --test 'clock/*'", does: 'Before a test is trusted' }],
    exits: [0, 1, 2, 3, 4],
    module: 'prove',
  },
]
