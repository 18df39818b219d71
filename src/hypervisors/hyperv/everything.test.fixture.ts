import type { Driver, GuestRequest, RunningGuest } from '../driver.js'

const never = new AbortController().signal

/** A host on which an instance does all that it can. */
export interface EverythingRequest {
  openDriver(): Driver
  readonly request: GuestRequest
  left(): Promise<readonly string[]>
  /** Told before the snapshot is gone back to, and after it. */
  onRevert?(when: 'before' | 'after'): void
}

/** What the contract asks of a driver, once; throws where it finds something wrong. */
export async function carryOutEverything({
  openDriver,
  request,
  left,
  onRevert = () => {},
}: EverythingRequest): Promise<void> {
  // A driver asks for the facts of its host once.
  const driver = openDriver()
  const instance = driver.instance(request)
  try {
    await instance.prepare(never)
    const running = await instance.start(never)
    await running.access(never)
    await everything(running, onRevert)
    if (running.gone.aborted) throw running.gone.reason
    await running.stop(never)
  } finally {
    await instance.remove(never).finally(() => driver.close())
  }
  const rest = await left()
  if (rest.length > 0) throw new Error(`left: ${rest.join(' ')}`)
}

async function everything(
  running: RunningGuest,
  onRevert: (when: 'before' | 'after') => void,
): Promise<void> {
  await running.pause?.(never)
  await running.resume?.(never)
  await running.powerOff?.(never)
  await running.powerOn?.(never)
  await running.shutdown?.(never)
  await running.powerOn?.(never)
  await running.reset?.(never)
  await running.nmi?.(never)
  await running.screenshot?.(never)
  await running.snapshot?.('one', never)
  const disk = await running.attachDisk?.(1024, never)
  const card = await running.attachNic?.(never)
  await running.detachDisk?.(disk?.serial ?? '', never)
  await running.detachNic?.(card?.mac ?? '', never)
  onRevert('before')
  await running.revert?.('one', never)
  onRevert('after')
  await running.deleteSnapshot?.('one', never)
  await running.setMemory?.(2 ** 27, never)
}
