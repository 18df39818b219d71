import type { Expect, Expectation, PollExpectation, TestContext, WindowsGuest } from '../src/api/index.js'
import type { MethodOf } from '../src/engine/modules/methods.js'

type Context = TestContext & { readonly windows: WindowsGuest }
type Examples<T> = Readonly<Record<MethodOf<T>, (context: Context) => unknown>>

/** An example for everything in `docs/api.md`; what is missing here does not compile. */
export const guestExamples: Examples<Context['guest']> = {
  run: async ({ guest, expect }) => {
    const { succeeded, stdout } = await guest.run('uname -s', { limit: '10s' })
    expect(succeeded).toBe(true, 'uname works')
    expect(stdout.trim()).toBe('Linux', 'the guest runs Linux')
  },
  readFile: async ({ guest, expect }) => {
    expect(await guest.readFile('/proc/cmdline')).not.toMatch(/nomodeset/, 'graphics are not switched off')
  },
  readBytes: async ({ guest, attach }) => {
    attach('acpi-tables.bin', await guest.readBytes('/sys/firmware/acpi/tables/DSDT'))
  },
  writeFile: async ({ guest }) => {
    await guest.writeFile(`${await guest.scratch()}/answers`, 'yes\n')
  },
  scratch: async ({ guest }) => {
    await guest.run(`cd ${await guest.scratch()} && dd if=/dev/zero of=file bs=1M count=64`)
  },
  bootIdentity: async ({ guest, expect }) => {
    const before = await guest.bootIdentity()
    expect(await guest.bootIdentity()).toBe(before, 'it is the same boot')
  },
  reboot: async ({ guest, expect }) => {
    const { before, after } = await guest.reboot()
    expect(after).not.toBe(before, 'it is another boot')
  },
  expectDisconnect: async ({ guest, host, expect }) => {
    const { bootIdentityBefore, bootIdentityAfter } = await guest.expectDisconnect(() => host.reset(), {
      within: '10m',
    })
    expect(bootIdentityAfter).not.toBe(bootIdentityBefore, 'it has booted anew')
  },
  clockOffset: async ({ guest, expect }) => {
    const { ms, uncertaintyMs } = await guest.clockOffset()
    expect(Math.abs(ms) - uncertaintyMs).toBeLessThan(1000, 'the clock is right to a second')
  },
}

/** Of a Windows guest, beyond those. */
export const windowsExamples: Omit<Examples<WindowsGuest>, keyof typeof guestExamples> = {
  wmi: async ({ windows, expect }) => {
    const [system] = await windows.wmi('Win32_ComputerSystem', { get: ['Model'] })
    expect(system?.Model).toBe('KVM', 'the model is that of the hypervisor')
  },
  registry: async ({ windows, expect }) => {
    const key = await windows.registry('HKLM\\SYSTEM\\CurrentControlSet\\Services\\viostor')
    expect(key?.values.get('Start')).toEqual({ kind: 'dword', value: 0 }, 'the disk driver starts at boot')
  },
  services: async ({ windows, expect }) => {
    const agent = (await windows.services()).find(({ name }) => name === 'QEMU-GA')
    expect(agent?.state).toBe('Running', 'the guest agent runs')
  },
  devices: async ({ windows, expect }) => {
    const broken = (await windows.devices()).filter(({ errorCode }) => errorCode !== 0)
    expect(broken).toHaveLength(0, 'every device works')
  },
  events: async ({ windows, expect }) => {
    expect(await windows.events('System', { levels: [1] })).toHaveLength(0, 'no event is critical')
  },
  activation: async ({ windows, expect }) => {
    expect((await windows.activation())?.state).toBe('licensed', 'Windows is licensed')
  },
  powershell: async ({ windows, expect }) => {
    const { succeeded } = await windows.powershell('Get-NetAdapter | Restart-NetAdapter', { limit: '1m' })
    expect(succeeded).toBe(true, 'the network cards restart')
  },
  writeBytes: async ({ windows }) => {
    await windows.writeBytes(`${windows.folder}\\data.bin`, Buffer.alloc(4096))
  },
}

/** Of the host. What a test leaves done with these is undone when it ends. */
export const hostExamples: Examples<Context['host']> = {
  pause: ({ host }) => host.pause({ for: '30s' }),
  resume: ({ host }) => host.resume(),
  shutdown: ({ host }) => host.shutdown(),
  powerOff: ({ host }) => host.powerOff(),
  powerOn: ({ host }) => host.powerOn(),
  reset: ({ host }) => host.reset(),
  snapshot: ({ host }) => host.snapshot('before'),
  revert: ({ guest, host }) => guest.expectDisconnect(() => host.revert('before'), { within: '5m' }),
  deleteSnapshot: ({ host }) => host.deleteSnapshot('before'),
  attachDisk: async ({ host }) => {
    const { serial } = await host.attachDisk(64 * 1024 * 1024)
    await host.detachDisk(serial)
  },
  detachDisk: ({ host }) => host.detachDisk('gc-disk-1'),
  attachNic: async ({ host }) => {
    const { mac } = await host.attachNic()
    await host.detachNic(mac)
  },
  detachNic: ({ host }) => host.detachNic('52:54:00:12:34:56'),
  nmi: ({ host }) => host.nmi(),
  screenshot: ({ host }) => host.screenshot(),
  setVcpus: ({ host }) => host.setVcpus(1),
  setMemory: ({ host }) => host.setMemory(512 * 1024 * 1024),
  migrate: ({ guest, host }) => guest.expectDisconnect(() => host.migrate(), { within: '10m' }),
}

type ContextExamples = Examples<TestContext> &
  Readonly<Record<'test' | 'peer', (context: Context) => unknown>>

/** Of what else a test is given. */
export const contextExamples: ContextExamples = {
  test: async ({ guest, expect, test }) => {
    const { size } = test.parameters
    const { succeeded } = await guest.run(`dd if=/dev/zero of=/dev/null bs=${size} count=16`)
    expect(succeeded).toBe(true, `blocks of ${size} are copied`)
  },
  expect: ({ expect }) => expect(1 + 1).toBe(2, 'one and one are two'),
  peer: async ({ guest, peer, expect }) => {
    await peer.run('iperf3 --server --daemon --one-off')
    const { succeeded } = await guest.run(`iperf3 --client ${peer.address} --time 10`, { limit: '1m' })
    expect(succeeded).toBe(true, 'the guest reaches the server on its peer')
  },
  measure: ({ measure }) => measure('offset', 12.5),
  attach: ({ attach }) => attach('notes.txt', 'seen at the console'),
  skip: ({ skip }) => skip('the guest has no USB'),
}

/** Of the questions; `expect(…).not` asks each negated. */
export const expectExamples: Examples<Expectation> = {
  toBe: ({ expect }) => expect('a').toBe('a', 'the letter is a'),
  toEqual: ({ expect }) => expect({ a: [1] }).toEqual({ a: [1] }, 'the structure is the same'),
  toBeOneOf: ({ expect }) => expect('tsc').toBeOneOf(['tsc', 'kvm-clock'], 'the clock source is known'),
  toBeLessThan: ({ expect }) => expect(1).toBeLessThan(2, 'it is small'),
  toBeAtMost: ({ expect }) => expect(2).toBeAtMost(2, 'it is no more than two'),
  toBeGreaterThan: ({ expect }) => expect(2).toBeGreaterThan(1, 'it is more than one'),
  toBeAtLeast: ({ expect }) => expect(2).toBeAtLeast(2, 'it is two or more'),
  toBeWithin: ({ expect }) => expect(5).toBeWithin(1, 10, 'it is from one to ten'),
  toMatch: ({ expect }) => expect('eth0: up').toMatch(/\bup$/, 'the card is up'),
  toContain: ({ expect }) => expect(['eth0', 'lo']).toContain('eth0', 'there is a card'),
  toBeLessThanOrEqual: ({ expect }) => expect(2).toBeLessThanOrEqual(2, 'it is no more than two'),
  toBeGreaterThanOrEqual: ({ expect }) => expect(2).toBeGreaterThanOrEqual(2, 'it is two or more'),
  toBeCloseTo: ({ expect }) => expect(1.02).toBeCloseTo(1, 0.05, 'it is one, more or less'),
  toBeTruthy: ({ expect }) => expect('text').toBeTruthy('there is a text'),
  toBeFalsy: ({ expect }) => expect('').toBeFalsy('there is no text'),
  toBeNull: ({ expect }) => expect(null).toBeNull('there is none'),
  toBeUndefined: ({ expect }) => expect(undefined).toBeUndefined('it is not said'),
  toBeDefined: ({ expect }) => expect(0).toBeDefined('it is said'),
  toBeInstanceOf: ({ expect }) => expect(new TypeError('x')).toBeInstanceOf(TypeError, 'it is refused'),
  toHaveLength: ({ expect }) => expect(['eth0']).toHaveLength(1, 'there is one card'),
  toMatchObject: ({ expect }) =>
    expect({ state: 'Running', start: 'Auto' }).toMatchObject({ state: 'Running' }, 'it runs'),
}

/** Of `expect` itself. */
export const pollExamples: Readonly<Record<keyof Expect, (context: Context) => Promise<unknown>>> = {
  poll: ({ expect, guest }) => {
    const cards: PollExpectation = expect.poll(async () => (await guest.run('ls /sys/class/net')).stdout, {
      within: '30s',
    })
    return cards.toMatch(/eth1/, 'the new card is found')
  },
  resolves: async ({ expect, guest, measure }) => {
    const reboot = await expect.resolves(guest.reboot(), 'the guest reboots when asked')
    if (reboot === undefined) return
    measure('reboot', reboot.tookMs / 1000)
  },
}
