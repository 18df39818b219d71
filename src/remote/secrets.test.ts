import { join } from 'node:path'
import t from 'tap'
import type { SecretReference } from '../config/model.js'
import { expandHome, resolveSecret } from './secrets.js'

const home = t.testdir({ '.ssh': { secret: 'from file\n', dos: 'from dos\r\n', two: 'a\n\n', empty: '\n' } })
const sources = { environment: { PASSWORD: 'from env', EMPTY: '' }, home }
const about = { what: 'the password', where: 'guest-1' }

function resolve(reference: SecretReference): Promise<string> {
  return resolveSecret(reference, about, sources)
}

t.test('from the environment and from files, without the newline at the end', async t => {
  t.equal(await resolve({ kind: 'env', name: 'PASSWORD' }), 'from env')
  t.equal(await resolve({ kind: 'file', path: '~/.ssh/secret' }), 'from file')
  t.equal(await resolve({ kind: 'file', path: join(home, '.ssh/dos') }), 'from dos')
  t.equal(await resolve({ kind: 'file', path: '~/.ssh/two' }), 'a\n', 'one newline, not all')
})

t.test('what is missing is named, with whose password it is', async t => {
  const code = { context: { code: 'authentication', cause: 'runner', where: 'guest-1' } }
  await t.rejects(resolve({ kind: 'env', name: 'NOT_SET' }), {
    message: 'guest-1: the password is to come from the environment variable NOT_SET, which is not set',
    ...code,
  })
  await t.rejects(resolve({ kind: 'env', name: 'EMPTY' }), { message: /which is empty/, ...code })
  await t.rejects(resolve({ kind: 'file', path: '~/.ssh/empty' }), { message: /which is empty/, ...code })
  await t.rejects(resolve({ kind: 'file', path: '~/none' }), {
    message: 'guest-1: the password is to come from the file ~/none, which cannot be read (ENOENT)',
    ...code,
  })
})

t.test('~ is the home, and only in front', async t => {
  t.equal(expandHome('~', '/h'), '/h')
  t.equal(expandHome('~/a', '/h'), '/h/a')
  t.equal(expandHome('/a/~/b', '/h'), '/a/~/b')
  t.equal(expandHome('~other/a', '/h'), '~other/a')
})
