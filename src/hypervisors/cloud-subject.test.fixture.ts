import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { InfraError } from '../config/errors.js'
import { defaultLimits } from '../config/limits.js'
import type { CleanState, Guest } from '../config/model.js'
import { Cloud } from './cloud.test.fixture.js'
import { cloudDriver } from './cloud-driver.test.fixture.js'
import type { Subject } from './contract.test.fixture.js'
import type { GuestRequest } from './driver.js'

const place = { file: '/lab.yaml', line: 1, column: 1 }

/** What the driver of the cloud is asked for. */
export async function cloudRequest(
  t: Test,
  clean: CleanState = { kind: 'copy', path: 'template' },
): Promise<GuestRequest> {
  const folder = await mkdtemp(join(tmpdir(), 'gc-cloud-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return {
    instance: 'gc-run-e1-1',
    guest: { id: 'debian' } as Guest,
    placement: {
      host: 'cloud',
      place,
      vm: 'theirs',
      clean,
      viaHost: false,
      configuration: { name: 'small' },
    },
    evidenceFolder: folder,
    limits: defaultLimits,
  }
}

/** The driver of the cloud, on a cloud of its own. */
export async function openCloud(t: Test): Promise<Subject & { readonly cloud: Cloud }> {
  const cloud = new Cloud()
  const request = await cloudRequest(t)
  const { instance } = request
  let listener = (_: number): void => {}
  let [from, toRefuse] = [0, 0]
  cloud.onCall = call => {
    listener(call - from)
    if (call === toRefuse) {
      throw new InfraError('refused by the test', { cause: 'host', where: instance, code: 'command' })
    }
  }
  return {
    cloud,
    driver: cloudDriver(cloud),
    request,
    left: async () => [...cloud.machines.keys()],
    onCommand: told => {
      from = cloud.calls
      listener = told
    },
    refuse: number => {
      toRefuse = number === 0 ? 0 : cloud.calls + number
    },
    end: async () => cloud.alter(instance, { power: 'off' }),
    restart: async () => cloud.alter(instance, { boots: 7 }),
  }
}
