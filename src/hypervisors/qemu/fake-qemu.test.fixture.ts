import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { defaultLimits } from '../../config/limits.js'
import type { Guest } from '../../config/model.js'
import type { GuestRequest } from '../driver.js'
import { instancesFolder } from '../shared/cache.js'
import { createQemuDriver } from './driver.js'
import { QmpClient, QmpRefusal } from './qmp.js'

/**
 * A QEMU that runs nothing and speaks QMP: the commands, answers and events that the driver uses, in the forms of
 * qapi/*.json of QEMU 7.2.
 */
const fakeQemu = `#!/usr/bin/env node
import { connect } from 'node:net'
import { appendFileSync, writeFileSync } from 'node:fs'
const args = process.argv.slice(2)
if (args[0] === '--version') { console.log('QEMU emulator version 7.2.22'); process.exit(0) }
const option = (name, pattern) => args.filter((_, at) => args[at - 1] === name).map(value => pattern.exec(value)?.[1]).find(Boolean)
writeFileSync(option('-pidfile', /(.*)/), String(process.pid))
appendFileSync(option('-chardev', /^file,.*path=(.*)/), 'booting\\n')
const socket = connect(option('-chardev', /^socket,.*path=(.*)/))
const send = message => socket.write(JSON.stringify(message) + '\\n')
const event = (name, data = {}) => send({ event: name, data, timestamp: { seconds: 0, microseconds: 0 } })
let status = 'running', devices = [], snapshots = [], jobs = [], held = []
const job = ({ 'job-id': id }, work) => {
  work()
  jobs.push({ id, status: 'concluded' })
  setImmediate(() => event('JOB_STATUS_CHANGE', { id, status: 'concluded' }))
}
const commands = {
  'query-status': () => ({ status, running: status === 'running', singlestep: false }),
  stop: () => { status = 'paused'; event('STOP') },
  cont: () => { status = 'running'; event('RESUME') },
  system_powerdown: () => setImmediate(() => { event('SHUTDOWN', { guest: true, reason: 'guest-shutdown' }); socket.end(() => process.exit(0)) }),
  'human-monitor-command': () => 'VLAN -1 (net0):\\r\\n  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\\r\\n  TCP[HOST_FORWARD]  12       127.0.0.1 40022       10.0.2.15    22     0     0\\r\\n',
  'qom-get': () => 'pc-i440fx-7.2-machine',
  'query-kvm': () => ({ enabled: false, present: false }),
  'qom-list': () => devices.map(name => ({ name, type: 'child<device>' })),
  device_add: ({ id }) => { devices.push(id) },
  device_del: ({ id }) => {
    devices = devices.filter(other => other !== id)
    event('DEVICE_DELETED', { device: id })
    // QEMU 7.2 on a busy machine was seen to hold the node of a disk for a while after that.
    held = [id.replace('disk-', 'node-'), id.replace('disk-', 'node-')]
  },
  'blockdev-del': one => {
    if (!held.includes(one['node-name'])) return {}
    held.pop()
    return { error: { class: 'GenericError', desc: 'Node ' + one['node-name'] + ' is in use' } }
  },
  'snapshot-save': one => job(one, () => snapshots.push(one.tag)),
  'snapshot-load': one => job(one, () => {}),
  'snapshot-delete': one => job(one, () => { snapshots = snapshots.filter(tag => tag !== one.tag) }),
  'query-jobs': () => jobs,
  'job-dismiss': ({ id }) => { jobs = jobs.filter(other => other.id !== id) },
  'query-named-block-nodes': () => [{ 'node-name': 'disk0', image: { snapshots: snapshots.map(name => ({ name })) } }],
}
let rest = ''
socket.on('data', data => {
  const lines = (rest + data).split('\\n')
  rest = lines.pop()
  for (const line of lines) {
    const { execute, arguments: given = {}, id } = JSON.parse(line)
    const answer = commands[execute]?.(given) ?? {}
    send(answer.error === undefined ? { return: answer, id } : { error: answer.error, id })
  }
})
socket.on('close', () => process.exit(0))
send({ QMP: { version: { qemu: { micro: 22, minor: 2, major: 7 }, package: '' }, capabilities: [] } })
`
const fakeImg = `#!/bin/sh
case "$1 $*" in
  info*json*) echo '{ "format": "raw" }' ;;
  info*) echo "file format: raw" ;;
  create*) for last; do :; done; case $last in *.qcow2) : >"$last" ;; *) for word; do case $word in *.qcow2) : >"$word" ;; esac; done ;; esac ;;
esac
`

export interface FakeQemu {
  readonly driver: ReturnType<typeof createQemuDriver>
  readonly request: GuestRequest
  left(): Promise<string[]>
  onCommand(listener: (number: number) => void): void
  refuse(number: number): void
  /** Ends QEMU as a person on the machine would. */
  end(): Promise<void>
}

/** A driver whose QEMU is the fake one; commands are those of QMP. */
export async function startFakeQemu(t: Test): Promise<FakeQemu> {
  const folder = t.testdir({
    bin: { 'qemu-system-x86_64': fakeQemu, 'qemu-img': fakeImg },
    cache: {},
    evidence: {},
  })
  for (const program of await readdir(join(folder, 'bin'))) {
    await chmod(join(folder, 'bin', program), 0o755)
  }
  const cacheFolder = join(folder, 'cache')
  await mkdir(instancesFolder(cacheFolder), { recursive: true })
  await writeFile(join(folder, 'disk.raw'), Buffer.alloc(2 ** 20))
  await writeFile(join(folder, 'lab.yaml'), '')
  const path = process.env.PATH
  process.env.PATH = `${join(folder, 'bin')}:${path}`
  let listener = (_: number): void => {}
  let [heard, toRefuse] = [0, 0]
  const { execute } = QmpClient.prototype
  QmpClient.prototype.execute = async function (...given) {
    heard += 1
    toRefuse -= 1
    listener(heard)
    if (toRefuse === 0) {
      throw new QmpRefusal('refused by the test')
    }
    return execute.apply(this, given)
  }
  const limits = { start: 20_000, shutdown: 2_000, unplug: 2_000, lookEvery: 20, snapshot: 5_000 }
  const driver = createQemuDriver({ host: { id: 'here', limits }, cacheFolder, accelerator: 'tcg' })
  t.teardown(async () => {
    await driver.close()
    QmpClient.prototype.execute = execute
    process.env.PATH = path
  })
  const instance = 'gc-run-e1-1'
  const record = join(instancesFolder(cacheFolder), instance, 'instance.json')
  return {
    driver,
    request: {
      instance,
      guest: { id: 'empty', arch: 'x86_64' } as Guest,
      placement: {
        host: 'here',
        place: { file: join(folder, 'lab.yaml'), line: 1, column: 1 },
        image: './disk.raw',
        clean: { kind: 'none' },
        viaHost: false,
        configuration: { name: 'x', vcpus: 1, memoryBytes: 64 * 2 ** 20 },
      },
      evidenceFolder: join(folder, 'evidence'),
      limits: defaultLimits,
    },
    left: () => readdir(instancesFolder(cacheFolder)),
    onCommand: told => {
      heard = 0
      listener = told
    },
    refuse: number => {
      toRefuse = number
    },
    end: async () => {
      const { qemu } = JSON.parse(await readFile(record, 'utf8')) as { qemu: { pid: number } }
      process.kill(qemu.pid, 'SIGKILL')
    },
  }
}
