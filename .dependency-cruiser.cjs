// Who may import whom: the table of docs/architecture.md. A folder may always import itself.
const allowed = {
  config: [],
  deadline: ['config'],
  text: [],
  journal: ['config', 'plan'],
  plan: ['config'],
  results: ['config', 'journal'],
  waivers: ['config', 'journal'],
  remote: ['deadline', 'text', 'config', 'journal'],
  guests: ['deadline', 'remote', 'config', 'journal'],
  hypervisors: ['deadline', 'remote', 'config', 'journal'],
  run: ['deadline', 'plan', 'engine', 'lab', 'hypervisors', 'remote', 'journal', 'reports', 'text', 'config'],
  engine: ['deadline', 'plan', 'hypervisors', 'guests', 'remote', 'results', 'journal', 'text', 'config', 'api'],
  lab: ['deadline', 'plan', 'hypervisors', 'guests', 'remote', 'results', 'journal', 'config'],
  doctor: ['deadline', 'plan', 'hypervisors', 'guests', 'remote', 'results', 'journal', 'config'],
  api: ['journal', 'config'],
  reports: ['deadline', 'journal', 'plan', 'waivers', 'text', 'config'],
  record: ['journal', 'plan', 'waivers', 'reports', 'text', 'config'],
}

const boundaries = Object.entries(allowed).map(([folder, others]) => ({
  name: `${folder}-imports`,
  comment: `src/${folder} may import: ${others.join(', ') || 'nothing of ours'}`,
  severity: 'error',
  from: { path: `^src/${folder}/`, pathNot: '\\.test\\.(fixture\\.|helper\\.)?ts$' },
  to: { path: '^(src|suites)/', pathNot: `^src/(${[folder, ...others].join('|')})/` },
}))

module.exports = {
  forbidden: [
    ...boundaries,
    {
      name: 'drivers-import-no-sibling',
      comment: 'what two drivers share stands in src/hypervisors/shared',
      severity: 'error',
      from: { path: '^src/hypervisors/([^/]+)/' },
      to: { path: '^src/hypervisors/[^/]+/', pathNot: '^src/hypervisors/(shared|console|managed-vm|$1)/' },
    },
    {
      name: 'only-the-registry-imports-drivers',
      comment: 'what is no driver’s own knows none of them',
      severity: 'error',
      from: { path: '^src/hypervisors/[^/]+\\.ts$', pathNot: '/(registry|module)\\.ts$|\\.test\\.' },
      to: { path: '^src/hypervisors/[^/]+/', pathNot: '^src/hypervisors/(shared|console|managed-vm)/' },
    },
    {
      name: 'events-import-nothing',
      comment: 'the journal’s events are the wire format: they depend on nothing but the words of config',
      severity: 'error',
      from: { path: '^src/journal/events\\.ts$' },
      to: { path: '^src/', pathNot: '^src/config/' },
    },
    {
      name: 'suites-import-the-api',
      comment: 'suites import guestcert/api alone',
      severity: 'error',
      from: { path: '^suites/', pathNot: '\\.test\\.(fixture\\.|helper\\.)?ts$' },
      to: { path: '^src/', pathNot: '^src/api/' },
    },
    {
      name: 'emulator-imports-itself',
      comment: 'the emulator is a program of its own: it shares no code with what is tested against it',
      severity: 'error',
      from: { path: '^emulator/', pathNot: '\\.test\\.(fixture\\.|helper\\.)?ts$' },
      to: { path: '^(src|suites|test|bench|scripts)/' },
    },
    {
      name: 'nothing-imports-the-emulator',
      comment: 'the emulator is started as a process, never imported',
      severity: 'error',
      from: { path: '^(src|suites)/', pathNot: '\\.test\\.(fixture\\.|helper\\.)?ts$' },
      to: { path: '^emulator/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: { pathNot: '\\.test\\.(fixture\\.|helper\\.)?ts$' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: { path: '^(src|suites|emulator)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
}
