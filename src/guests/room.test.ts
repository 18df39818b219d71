import t from 'tap'
import { chooseRoom, describeRooms, parseRooms } from './room.js'

const mib = 2 ** 20
const text = `noise
gc-room yes 100 /var/tmp
gc-room no 204800 /tmp
gc-room yes ? /home/some one
gc-room maybe 1 /x
gc-room yes 1 relative
gc-tool printf
gc-tool cc
`

t.test('where files can go is read line by line, and what has another form is passed over', async t => {
  t.same(parseRooms(text), {
    rooms: [
      { folder: '/var/tmp', freeBytes: 102_400, executes: true },
      { folder: '/tmp', freeBytes: 200 * mib, executes: false },
      { folder: '/home/some one', freeBytes: null, executes: true },
    ],
    tools: new Set(['printf']),
  })
})

t.test(
  'the first folder that is large enough is chosen, rather one where programs can be started',
  async t => {
    const { rooms } = parseRooms(text)
    t.equal(chooseRoom(rooms, 1)?.folder, '/var/tmp')
    t.equal(chooseRoom(rooms, mib)?.folder, '/home/some one')
    t.equal(chooseRoom(rooms.slice(0, 2), mib)?.folder, '/tmp')
    t.equal(chooseRoom(rooms.slice(0, 2), 1024 * mib), null)
    t.match(describeRooms(rooms), /^102400B|^100KiB in \/var\/tmp/)
    t.equal(describeRooms([]), 'no folder can be written to')
  },
)
