import { setTimeout as wait } from 'node:timers/promises'
import { type Expectation, sent, showing, type VmBackend } from '../managed-vm/backend.js'
import { isDown, isUp, type Observation } from '../managed-vm/observation.js'
import { isFault } from './soap/fault.js'
import type { Vm } from './vm.js'

type Power = Pick<
  VmBackend,
  'begin' | 'start' | 'requestShutdown' | 'kill' | 'pause' | 'resume' | 'reset' | 'nmi'
>

/** Switching a virtual machine on and off. */
export function powerOf(vm: Vm): Power {
  const { limits } = vm.host
  const runs: Expectation = {
    what: 'start the virtual machine',
    cause: 'host',
    limit: limits.start,
    holds: ({ power }) => power === 'on',
  }
  const stops: Expectation = { what: 'end it', cause: 'host', limit: limits.destroy, holds: isDown }
  const look = (signal: AbortSignal): Promise<Observation> => vm.observe({ devices: false }, signal)
  const start: VmBackend['start'] = async signal =>
    (await look(signal)).power === 'on' ? sent() : vm.begin('PowerOnVM_Task', runs, signal)
  return {
    begin: start,
    // One that is suspended goes on.
    start,
    resume: start,
    requestShutdown: async signal => {
      await askToShutDown(vm, signal)
      return showing({ what: 'shut down', cause: 'guest', limit: limits.shutdown, holds: isDown })
    },
    kill: async signal => (isDown(await look(signal)) ? sent() : vm.begin('PowerOffVM_Task', stops, signal)),
    pause: signal =>
      vm.begin(
        'SuspendVM_Task',
        // Its memory is written to its datastore.
        {
          what: 'suspend it',
          cause: 'host',
          limit: limits.snapshot,
          holds: ({ power }) => power === 'paused',
        },
        signal,
      ),
    reset: signal => vm.begin('ResetVM_Task', { ...runs, what: 'reset it', holds: isUp }, signal),
    nmi: async signal => {
      await vm.host.site.session.call({ ...vm.call('SendNMI'), changes: true }, vm.options(signal))
      return sent()
    },
  }
}

/** Asks VMware Tools in the guest, which begin to run some time after it was started. Throws VimFault where they do not. */
async function askToShutDown(vm: Vm, signal: AbortSignal): Promise<void> {
  const { limits, site } = vm.host
  const startedAt = performance.now()
  for (;;) {
    try {
      await site.session.call({ ...vm.call('ShutdownGuest'), changes: true }, vm.options(signal))
      return
    } catch (error) {
      const isLate = performance.now() - startedAt > limits.shutdown.ms
      if (isLate || !isFault(error, 'ToolsUnavailable')) {
        throw error
      }
    }
    await wait(limits.lookEvery.ms, undefined, { signal })
  }
}
