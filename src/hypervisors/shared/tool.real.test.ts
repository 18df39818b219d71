import t from 'tap'
import type { Limit } from '../limit.js'
import { runTool, type ToolOptions } from './tool.js'

const limit: Limit = { name: 'patience', ms: 20_000 }
const options: ToolOptions = { signal: new AbortController().signal, limit, where: 'here', cause: 'host' }

t.test('standard output of a tool that ended well, and each line of its errors', async t => {
  const lines: string[] = []
  const script = 'echo out; echo one >&2; echo two >&2'
  t.equal(await runTool('sh', ['-c', script], { ...options, onLine: line => lines.push(line) }), 'out\n')
  t.same(lines, ['one', 'two'])
})

t.test('any other end is an error with the command and its last words', async t => {
  await t.rejects(runTool('sh', ['-c', 'echo sorry >&2; exit 3'], options), {
    message: 'sh -c echo sorry >&2; exit 3 ended with status 3: sorry',
    context: { cause: 'host', where: 'here', code: 'command' },
  })
  await t.rejects(runTool('sh', ['-c', 'kill -9 $$'], options), { message: /ended with SIGKILL/ })
})

t.test('a limit and a signal end it', async t => {
  const sleep = (change: Partial<ToolOptions>): Promise<string> =>
    runTool('sleep', ['600'], { ...options, ...change })
  await t.rejects(sleep({ limit: { name: 'patience', ms: 50 } }), {
    message: /did not end within patience \(50 ms\)/,
    context: { code: 'limit', limit: 'patience' },
  })
  const controller = new AbortController()
  const waiting = sleep({ signal: controller.signal })
  controller.abort()
  await t.rejects(waiting, { name: 'InfraError', context: { code: 'cancelled' } })
  await t.rejects(sleep({ signal: controller.signal }), { message: /was not started: cancelled/ })
})
