import t from 'tap'
import { guestcert } from '../../test/cli-io.js'
import { packageVersion } from '../config/package-root.js'

t.test('without a command it explains itself, but that is not a success', async t => {
  const { code, stdout, stderr } = await guestcert([])
  t.equal(code, 2)
  t.equal(stdout, '')
  t.match(stderr, 'Usage\n  guestcert COMMAND')
})

t.test('asked-for help goes to standard output and is a success', async t => {
  const asked = await guestcert(['--help'])
  t.match(asked, { code: 0, stderr: '', stdout: /Exit codes\n/ })
  t.match(await guestcert(['run', '-h']), { code: 0, stderr: '', stdout: /guestcert run LAB \[FLAGS\]/ })
  t.match(await guestcert(['lab', '--help']), { code: 0, stderr: '', stdout: /lab build +Build/ })
  t.same(await guestcert(['help']), asked)
  t.same(await guestcert(['help', 'reports', 'prune']), await guestcert(['reports', 'prune', '--help']))
  t.match(await guestcert(['help', 'lab']), { code: 0, stdout: /lab down/ })
  t.match(await guestcert(['help', 'rnu']), {
    code: 2,
    stderr: 'guestcert: unknown command "rnu": did you mean "run"?\n',
  })
})

t.test('help has colours on terminals only', async t => {
  t.notMatch((await guestcert(['--help'])).stdout, '\x1b[')
  t.match((await guestcert(['--help'], { columns: 80 })).stdout, '\x1b[1mUsage')
  t.notMatch((await guestcert(['--help', '--no-color'], { columns: 80 })).stdout, '\x1b[')
  t.notMatch((await guestcert(['--help'], { columns: 80, env: { NO_COLOR: '1' } })).stdout, '\x1b[')
  t.match((await guestcert(['--help', '--color'])).stdout, '\x1b[1mUsage')
})

t.test('a wrong command line is one line on standard error, and exit code 2', async t => {
  t.same(await guestcert(['run', '--gest', 'x']), {
    code: 2,
    stdout: '',
    stderr: 'guestcert: unknown option --gest for "guestcert run": did you mean "--guest"?\n',
  })
})

t.test('the version is the one of the package', async t => {
  t.same(await guestcert(['--version']), { code: 0, stdout: `guestcert ${packageVersion()}\n`, stderr: '' })
})

t.test('--verbose and GUESTCERT_DEBUG add where an error came from', async t => {
  t.notMatch((await guestcert(['list', 'guests'])).stderr, '    at ')
  t.match((await guestcert(['list', 'guests', '--verbose'])).stderr, '    at ')
  t.match((await guestcert(['list', 'guests'], { env: { GUESTCERT_DEBUG: '1' } })).stderr, '    at ')
})
