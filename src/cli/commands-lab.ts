import { asFlag, machineFlags } from './flags.js'
import type { CommandSpec } from './spec.js'

const group = 'Labs and suites'

/** Commands that prepare and maintain what a run needs. */
export const labCommands: readonly CommandSpec[] = [
  {
    path: ['init'],
    group,
    summary: 'Write a starter lab file',
    description: ['Writes a commented lab file. Never overwrites an existing file.'],
    arguments: [
      {
        name: 'FILE',
        description: 'The file to write (default: lab.yaml)',
        optional: true,
        completes: 'file',
      },
    ],
    flags: [],
    examples: [{ line: 'guestcert init', does: 'Write lab.yaml in this folder' }],
    prints: { kind: 'text', what: 'where the file is' },
    exits: [0, 2, 4],
    module: 'init',
  },
  {
    path: ['lab', 'build'],
    group,
    summary: 'Build a bootable guest image',
    description: [
      "Builds an image from the operating system's own packages, with a login key and a host key that are known in advance. An image is built once per recipe and then taken from the cache.",
    ],
    arguments: [
      {
        name: 'IMAGE',
        description: 'The image: a name, or the path of your own recipe',
        suggests: ['debian', 'debian-generic', 'debian-xen', 'xen-dom0'],
      },
    ],
    flags: [{ name: 'force', description: 'Rebuild the image even if it is cached', group: 'General' }],
    examples: [
      { line: 'guestcert lab build debian', does: 'The image that fixtures/labs/qemu-debian.yaml boots' },
    ],
    prints: { kind: 'result', shapes: ['lab build'], quiet: 'Print nothing' },
    exits: [0, 2, 3, 4],
    module: 'lab',
  },
  {
    path: ['lab', 'up'],
    group,
    summary: 'Start the emulated guests and hosts of a lab',
    description: [
      'Boots the hosts for which the lab has images, in software emulation, and starts the emulated guests and hosts as a background process with stable ports and host keys. "guestcert run" uses that process while it is up, and otherwise starts its own.',
    ],
    arguments: [
      {
        name: 'LAB',
        description: 'The lab file, or xen for the built-in Xen host',
        completes: 'file',
      },
    ],
    flags: [],
    examples: [
      { line: 'guestcert lab up fixtures/labs/showcase.yaml', does: 'Guests to log in to with ssh' },
      { line: 'guestcert lab up xen', does: 'A real Xen and its dom0, in QEMU' },
    ],
    prints: { kind: 'result', shapes: ['lab up'], quiet: 'Print the login command lines only' },
    exits: [0, 2, 3, 4],
    module: 'lab',
  },
  {
    path: ['lab', 'down'],
    group,
    summary: 'Stop the emulated guests and hosts of a lab',
    description: ['Stops what "guestcert lab up" started for this lab, and nothing else.'],
    arguments: [
      {
        name: 'LAB',
        description: 'The lab file, or xen for the built-in Xen host',
        completes: 'file',
      },
    ],
    flags: [],
    examples: [{ line: 'guestcert lab down fixtures/labs/showcase.yaml', does: 'Stop them' }],
    prints: { kind: 'result', shapes: ['lab down'], quiet: 'Print nothing' },
    exits: [0, 2, 3, 4],
    module: 'lab',
  },
  {
    path: ['lab', 'clean'],
    group,
    summary: 'Remove what dead runs left on the hosts of a lab',
    description: [
      'Stops the instances of dead runs and removes their domains, overlays and copies, their folders and processes on static guests, and leases that nobody renews. Leaves everything that belongs to a live run: one that holds the lease of the host, or whose runner is still active on this machine.',
      'Watches an expired lease for a while first, to make sure that nobody renews it. Reports hosts that cannot be reached and goes on with the others.',
    ],
    arguments: [{ name: 'LAB', description: 'The lab file, e.g. lab.yaml', completes: 'file' }],
    flags: [
      { name: 'dry-run', description: 'Print what would be removed, and remove nothing', group: 'General' },
      {
        name: 'kept',
        description: 'Also remove guests that --keep left running',
        group: 'Choice',
      },
      asFlag,
    ],
    examples: [
      { line: 'guestcert lab clean lab.yaml --dry-run', does: 'What dead runs left' },
      { line: 'guestcert lab clean lab.yaml', does: 'Remove it' },
    ],
    prints: { kind: 'result', shapes: ['lab clean'], quiet: 'Print only what could not be removed' },
    exits: [0, 2, 3, 4, 130],
    module: 'clean',
  },
  {
    path: ['doctor'],
    group,
    summary: 'Check every host and guest before a run',
    description: [
      'Logs in to every reachable host and guest and checks host key, product and version, tools, capacity, clean states, clocks and free space. Starts and changes nothing, except that emulated machines are started if they are not up.',
      'A check that depends on a failed one is reported as not checked. The exit code is 0 only if every check was carried out and is ok.',
      'With --contract, creates scratch VMs on one host from the clean state of a guest of the lab (an overlay or a copy), does everything to them that the driver offers, cancels and refuses its commands, and removes them. Holds the lease of the host and saves a transcript without addresses, names and secrets. The exit code is 0 if everything held, 1 if something did not. See docs/doctor.md.',
    ],
    arguments: [{ name: 'LAB', description: 'The lab file, e.g. lab.yaml', completes: 'file' }],
    flags: [
      ...machineFlags,
      {
        name: 'clock',
        value: 'TIME',
        kind: 'duration',
        description: 'Largest allowed clock difference',
        default: '5s',
        group: 'Checks',
      },
      {
        name: 'free-space',
        value: 'SIZE',
        description: 'Free space required where instances are created and where tests write',
        default: '512MiB',
        group: 'Checks',
      },
      {
        name: 'check-limit',
        value: 'TIME',
        kind: 'duration',
        description: 'Time limit for one check',
        default: '1m',
        group: 'Checks',
      },
      {
        name: 'parallel',
        value: 'N',
        kind: 'count',
        least: 1,
        description: 'Checks to run at once',
        default: '8',
        group: 'Checks',
      },
      {
        name: 'contract',
        value: 'HOST',
        description: "Test the driver's contract on this host with scratch VMs, instead of checking the lab",
        group: 'Contract',
      },
      {
        name: 'output',
        alias: 'o',
        value: 'FILE',
        description: 'With --contract: where to save the transcript (default: DRIVER-PRODUCT-VERSION.json)',
        completes: 'file',
        group: 'Contract',
      },
      asFlag,
    ],
    examples: [
      { line: 'guestcert doctor lab.yaml', does: 'Find out what is missing before a run' },
      {
        line: 'guestcert doctor lab.yaml --contract hv-1',
        does: 'Show that guestcert drives this host as it should',
      },
    ],
    prints: {
      kind: 'result',
      shapes: ['doctor', 'doctor --contract'],
      quiet: 'Print only checks that are not ok, or parts that did not hold',
    },
    exits: [0, 1, 2, 3, 4, 130],
    module: 'doctor',
  },
  {
    path: ['capture'],
    group,
    summary: 'Create a persona from a live guest or host',
    description: [
      'Logs in to a guest of the lab, reads what the suites read (files, and the output of commands), and writes a persona that gives the same answers. Every fact in it records that it was captured, when, and from which machine.',
      'Without a guest, captures the host given with --host: queries its libvirt or xl, and starts nothing there.',
    ],
    arguments: [
      { name: 'LAB', description: 'The lab file', completes: 'file' },
      { name: 'GUEST', description: 'A guest of the lab', optional: true },
    ],
    flags: [
      {
        name: 'host',
        value: 'NAME',
        description: 'The host to run the guest on, if it has several; without a guest, the host to capture',
        group: 'Choice',
      },
      {
        name: 'name',
        value: 'NAME',
        description: 'Name of the persona (default: the name of the guest or host)',
        group: 'Output',
      },
      {
        name: 'output',
        alias: 'o',
        value: 'DIR',
        description: 'Folder to write the persona to (default: personas beside the lab file)',
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
    prints: { kind: 'text', what: 'where the personas are' },
    exits: [0, 2, 3, 4],
    module: 'capture',
  },
  {
    path: ['prove'],
    group,
    summary: 'Prove that tests can fail',
    description: [
      'Runs each test on the personas that it must pass on and on the mutants that it must fail on, as declared in its manifest. Only a failed check of the test itself proves it: neither an error does, nor a test that throws for what the guest did.',
      'Personas and mutants are looked up in the folder "personas" beside the lab, in the one beside the folder of each suite, and among those that ship. A persona of your own needs a guest that it plays: name its lab with --lab.',
    ],
    arguments: [
      {
        name: 'SUITE',
        description: 'Suite folders (default: the built-in suites)',
        optional: true,
        repeatable: true,
        completes: 'folder',
      },
    ],
    flags: [
      {
        name: 'test',
        value: 'GLOB',
        description: 'Tests whose name matches, with or without the suite',
        repeatable: true,
        group: 'Choice',
      },
      {
        name: 'lab',
        value: 'LAB',
        description: 'The lab whose emulated guests the tests are proven on (default: one that ships)',
        completes: 'file',
        group: 'Choice',
      },
      {
        name: 'parallel',
        value: 'N',
        kind: 'count',
        least: 1,
        description: 'Emulated guests to run at once',
        group: 'Run',
      },
    ],
    examples: [
      { line: "guestcert prove ./our-suites --test 'clock/*'", does: 'Check a suite before relying on it' },
      { line: 'guestcert prove ./our-suites --lab lab.yaml', does: 'On emulated guests of your own' },
    ],
    prints: { kind: 'result', shapes: ['prove'], quiet: 'Print only what is not proven' },
    exits: [0, 1, 2, 3, 4],
    module: 'prove',
  },
]
