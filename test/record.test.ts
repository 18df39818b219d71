import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import { guestcert } from './cli-io.js'
import { guestcertProcess } from './cli-process.js'
import { trustLabKey, writeKeyFiles } from './record-lab.js'

const lab = `lab: emulated
hosts:
  kvm: { product: debian-kvm, version: "12", driver: static, emulated: rhel-9-kvm }
guests:
  deb: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { kvm: { configuration: { vcpus: 1, memory: 512MiB } } } }
suites: [builtin]
`
const [program, ...programArgs] = guestcertProcess

t.test(
  'a run of an emulated lab is registered, recorded and refused, and a change of it is named',
  async t => {
    const cwd = t.testdir({ 'lab.yaml': lab })
    await writeKeyFiles(cwd, ['log.pem', 'lab.pem'])
    const run = (...args: string[]) => guestcert(args, { cwd })

    const begun = await run('record', 'init', '--party', 'example-lab', '--log-key', 'log.pem')
    t.match(begun, { code: 0, stdout: /log example-lab\/record/ })
    t.match(await run('record', 'init', '--party', 'example-lab', '--log-key', 'log.pem'), { code: 2 })
    await trustLabKey(cwd)

    const carried = await execa(
      program,
      [
        ...programArgs,
        'run',
        'lab.yaml',
        '--test',
        'core/identity',
        '--certify',
        '--key',
        'lab.pem',
        '--quiet',
      ],
      { cwd, reject: false, stdin: 'ignore' },
    )
    t.equal(carried.exitCode, 0, carried.stderr)
    const [folder = ''] = (await readdir(join(cwd, 'reports'))).filter(name => /^\d{8}-/.test(name))
    const shown = await run('record', 'show')
    const leaf = /^\s*1\s+([0-9a-f]{12})\s+registration/m.exec(shown.stdout)?.[1]
    t.equal(folder.split('-')[2], leaf, 'the name of the run is that of its registration')

    const added = await run('record', 'add', 'latest', '--key', 'lab.pem')
    t.match(added, { code: 0, stdout: /^recorded: deb@debian-kvm-12/ })
    t.match(await run('record', 'add', 'latest', '--key', 'lab.pem'), {
      code: 0,
      stdout: /^already recorded: /,
    })

    const policy = join(packageRoot, 'policies/example-lab.yaml')
    const decided = await run('record', 'decide', '--policy', policy, '--key', 'lab.pem')
    t.equal(decided.code, 1)
    for (const code of ['emulated', 'hypervisor-not-observed', 'missing', 'not-reproduced']) {
      t.match(decided.stdout, new RegExp(`^ {2}${code}: `, 'm'))
    }
    for (const code of ['harness', 'suite', 'plan', 'run-id', 'unsigned', 'not-registered', 'clock']) {
      t.notMatch(decided.stdout, new RegExp(`^ {2}${code}: `, 'm'), code)
    }
    t.match(await run('record', 'status'), { code: 0, stdout: /debian-12-on-debian-12 +not certified/ })

    const joint = join(packageRoot, 'policies/joint-support.yaml')
    const lacking = await run('record', 'why', 'all', '--policy', joint)
    t.equal(lacking.stdout.match(/^\S+: not certified$/gm)?.length, 7, 'each row says what it lacks')
    t.match(await run('record', 'why', 'rhel-9-on-hyperv-2022', '--policy', joint), {
      code: 2,
      stderr: /did you mean "rhel-9-on-hyper-v-2022"/,
    })

    const whole = await run('record', 'verify')
    t.match(whole, { code: 0, stdout: /1 journals folded again\nfreshness not proven/ })
    const remembered = join(cwd, 'head')
    await writeFile(remembered, await readFile(join(cwd, 'record/checkpoint')))
    t.match(await run('record', 'verify', '--head', 'head'), { code: 0, stdout: /entries begin with the/ })
    const [journal = ''] = await readdir(join(cwd, 'record/runs'))
    await appendFile(join(cwd, 'record/runs', journal, 'journal.ndjson'), '\n')
    t.match(await run('record', 'verify'), {
      code: 1,
      stdout: /^runs\/[0-9a-f]{64}\/journal\.ndjson: it is not the journal/,
    })
    t.match(await run('record', 'reject', 'abcdef', '--why', 'x', '--key', 'lab.pem'), {
      code: 2,
      stderr: /unknown entry/,
    })
    t.match(await run('record', 'add', 'latest', '--key', 'log.pem'), {
      code: 2,
      stderr: /is not in the record's trust file/,
    })
  },
)
