import t from 'tap'
import { UnknownOutput } from '../shared/unknown-output.js'
import { addressesIn, fieldOf, numberOf, parseMap, parseRecords, parseUuid, powerOf } from './output.js'

t.test('records as xe prints them', t => {
  // From a log of a XenServer with Windows guests (index file 3809234439), and the form of cli_printer.ml.
  const text = [
    'uuid ( RO)             : c98c2e2b-a8cf-fe0a-a3c3-2e492c541ef9',
    '       name-label ( RW): win2k8',
    '    memory-actual ( RO): 1073713152',
    '',
    '',
    'uuid ( RO)             : 0ae5ffba-8ad7-2c3c-22cc-4a7d2e1d4f11',
    '       name-label ( RW): two: lines',
    'second line',
    '    memory-actual ( RO): <not in database>',
    '    other-config (MRW): owner: true; x: y',
    '    allowed ( SRO) [DEPRECATED]: a; b',
    '',
  ].join('\n')
  const [first, second, ...more] = parseRecords(text)
  t.strictSame(more, [])
  t.equal(first && fieldOf(first, 'name-label'), 'win2k8')
  t.equal(first && numberOf(first, 'memory-actual'), 1_073_713_152)
  t.equal(second && fieldOf(second, 'name-label'), 'two: lines\nsecond line')
  t.equal(second && numberOf(second, 'memory-actual'), null)
  t.equal(second && fieldOf(second, 'other-config'), 'owner: true; x: y')
  t.equal(second && fieldOf(second, 'allowed'), 'a; b')
  t.throws(() => first && fieldOf(first, 'power-state'), UnknownOutput)
  t.strictSame(parseRecords('\n\n'), [], 'nothing that matches is an empty answer')
  t.throws(() => parseRecords('Lost connection to the server.\n'), UnknownOutput)
  t.end()
})

t.test('the versions that a host has', t => {
  // From a log of XenServer 6.5 (index file 5387304754).
  const software = parseMap(
    'product_version: 6.5.0; product_version_text: 6.5; platform_name: XCP; product_brand: XenServer; build_number: 90233c; xapi: 1.3; xen: 4.4.1-xs90192; linux: 3.10.0+2',
  )
  t.equal(software.get('product_brand'), 'XenServer')
  t.equal(software.get('product_version'), '6.5.0')
  t.equal(software.get('linux'), '3.10.0+2')
  t.equal(parseMap('').size, 0)
  t.end()
})

t.test('states are known words, and no others', t => {
  t.strictSame(['running', 'paused', 'halted', 'suspended'].map(powerOf), ['on', 'paused', 'off', 'off'])
  t.throws(() => powerOf('Running'), UnknownOutput)
  t.throws(() => parseUuid('Error: No matching VMs found'), UnknownOutput)
  t.equal(parseUuid('c98c2e2b-a8cf-fe0a-a3c3-2e492c541ef9\n'), 'c98c2e2b-a8cf-fe0a-a3c3-2e492c541ef9')
  t.end()
})

t.test('addresses that can be reached, IPv4 first', t => {
  // The form is xapi's; that 169.254.* comes first after a start is xcp-ng-tests' experience (lib/vm.py).
  t.strictSame(addressesIn('0/ip: 10.0.0.5; 0/ipv4/0: 10.0.0.5; 0/ipv6/0: fe80::1'), ['10.0.0.5'])
  t.strictSame(addressesIn('0/ip: 169.254.3.4; 0/ipv6/0: 2001:db8::5; 1/ip: 192.0.2.7'), [
    '192.0.2.7',
    '2001:db8::5',
  ])
  t.strictSame(addressesIn('<not in database>'), [])
  t.strictSame(addressesIn('0/ip: $(reboot)'), [])
  t.end()
})
