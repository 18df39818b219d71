import t from 'tap'
import { withTasks } from './tasks.js'

t.test('what was done is undone in reverse, and what gave nothing is not', async t => {
  const seen: string[] = []
  const work = withTasks(
    async tasks => {
      await tasks.do(
        'one',
        () => 1,
        async made => seen.push(`undo ${made}`),
      )
      await tasks.do(
        'two',
        async () => 2,
        async made => seen.push(`undo ${made}`),
      )
      await tasks.do(
        'three',
        () => {
          throw new Error('three is not there')
        },
        async () => seen.push('undo 3'),
      )
    },
    text => seen.push(text),
  )
  await t.rejects(work, { message: 'three is not there' })
  t.same(seen, ['undo 2', 'undo 1'])
})

t.test('a teardown that fails keeps none of the others from its turn', async t => {
  const failing = (end: () => number, seen: string[]): Promise<number> =>
    withTasks(
      async tasks => {
        await tasks.do(
          'one',
          () => 1,
          async () => seen.push('undo 1'),
        )
        await tasks.do(
          'two',
          () => 2,
          () => Promise.reject(new Error('two stays')),
        )
        return end()
      },
      text => seen.push(text),
    )
  const well: string[] = []
  await t.rejects(
    failing(() => 7, well),
    { message: 'two stays' },
    'it is the error of work that ended well',
  )
  t.same(well, ['undo 1'])
  const ill: string[] = []
  const broken = (): never => {
    throw new Error('the work failed')
  }
  await t.rejects(
    failing(broken, ill),
    { message: 'the work failed' },
    'and is told beside one that came first',
  )
  t.same(ill, ['undo 1', 'could not undo "two": two stays'])
})

t.test('what the work gives is given on', async t => {
  t.equal(await withTasks(tasks => tasks.do('one', () => 'made'), t.fail), 'made')
})
