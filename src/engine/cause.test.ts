import t from 'tap'
import { type InfraCode, InfraError } from '../config/errors.js'
import { describeTrouble } from './cause.js'

function trouble(cause: 'guest' | 'host' | 'network' | 'runner' | 'unknown', code: InfraCode): boolean {
  return describeTrouble(new InfraError('x', { cause, where: 'g', code })).retryable
}

t.test('only trouble of host, network and runner is tried again', async t => {
  t.ok(trouble('host', 'driver'))
  t.ok(trouble('network', 'connect'))
  t.ok(trouble('runner', 'driver'))
  t.notOk(trouble('guest', 'boot'))
  t.notOk(trouble('unknown', 'limit'))
})

t.test('a wrong host key, key or password never is', async t => {
  t.notOk(trouble('network', 'host-key'))
  t.notOk(trouble('runner', 'authentication'))
})

t.test('what is not an error of a known class is the runner’s, and final', async t => {
  t.match(describeTrouble(new TypeError('a bug')), { cause: 'runner', message: 'a bug', retryable: false })
})
