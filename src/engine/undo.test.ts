import t from 'tap'
import { UndoStack } from './undo.js'

t.test('steps are undone in reverse, and one that fails keeps no other from its turn', async t => {
  const undo = new UndoStack()
  const order: string[] = []
  const step = (name: string, work: () => Promise<void> = async () => {}): void => {
    undo.push(name, async () => {
      order.push(name)
      await work()
    })
  }
  step('remove')
  step('stop', async () => {
    throw new Error('the host is gone')
  })
  step('disconnect')
  const { names, left } = await undo.undoAll(1000)
  t.same(order, ['disconnect', 'stop', 'remove'])
  t.same(names, ['disconnect', 'remove'])
  t.equal(left, 'stop: the host is gone')
})

t.test('a step that hangs is given up at its budget, and told so', async t => {
  const undo = new UndoStack()
  let wasTold = false
  undo.push('remove', async () => {})
  undo.push('stop', signal => {
    signal.addEventListener('abort', () => {
      wasTold = true
    })
    return new Promise(() => {})
  })
  const { names, left } = await undo.undoAll(50)
  t.same(names, ['remove'])
  t.match(left, /^stop: .*limit "undo"/)
  t.ok(wasTold)
})

t.test('everything is undone once', async t => {
  const undo = new UndoStack()
  let times = 0
  undo.push('stop', async () => {
    times += 1
  })
  await undo.undoAll(1000)
  await undo.undoAll(1000)
  t.equal(times, 1)
})
