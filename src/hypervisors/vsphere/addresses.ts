import type { Limit } from '../limit.js'
import { type GuestAddress, type Looked, usableAddresses, waitForAddresses } from '../shared/addresses.js'
import { readObject } from './api/properties.js'
import { childrenOf, type Element, textAt } from './soap/element.js'
import type { Vm } from './vm.js'

/** The addresses that VMware Tools tell of a guest's cards; none at first, until they run there. */
export function addressesOf(vm: Vm, limit: Limit, signal: AbortSignal): Promise<string[]> {
  const { id, limits } = vm.host
  let macs: readonly string[] = []
  const look = async (): Promise<Looked> => {
    const paths = ['guest.net', 'guest.toolsRunningStatus', 'guest.toolsVersionStatus2']
    const read = await readObject(vm.host.site.session, vm.machine, paths, vm.options(signal))
    const found = guestAddresses(read?.at('guest.net'))
    macs = [...new Set(found.map(({ mac }) => mac))]
    const tools = [read?.text('guest.toolsRunningStatus'), read?.text('guest.toolsVersionStatus2')]
    const note = `VMware Tools: ${tools.filter(said => said !== undefined).join(', ') || 'nothing is known'}`
    return { addresses: usableAddresses(found, macs), notes: [note] }
  }
  const call = vm.options(signal)
  const wait = { host: id, call, limit, everyMs: limits.lookEvery.ms }
  return waitForAddresses(look, {
    ...wait,
    get macs() {
      return macs
    },
  })
}

/** Reads `GuestInfo.net`: what each card is called by its guest. */
export function guestAddresses(net: Element | undefined): GuestAddress[] {
  return childrenOf(net, 'GuestNicInfo').flatMap(card => {
    const mac = (textAt(card, 'macAddress') ?? '').toLowerCase()
    return childrenOf(card, 'ipAddress').map(({ text }) => ({ mac, ip: text.trim() }))
  })
}
