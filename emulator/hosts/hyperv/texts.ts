import { digestOf } from '../../windows/powershell/texts.js'

/** The texts that the emulator knows: those that guestcert's Hyper-V driver sends. */
export type HyperVText = (typeof names)[keyof typeof names]

/** By the first half of the SHA-256 of each: a text that was changed is another one. */
const names = {
  '934007f40487cfee50a8766fdee7b363': 'facts',
  '39c18eebd0205114e16164279bdb3a4b': 'list',
  c5f69d8585e2248cc66b5b491bfae51a: 'exists',
  '9637aa18409d86609b82b82c78674aeb': 'space',
  eb08934c30209e7e1eaeeff7f41678ef: 'image',
  '92a213d2948cd4561668e5735d2047bd': 'make-disk',
  '47a249d0a1f94d33cdedd98ed0857b60': 'folders',
  '4122d283cdb78a8cf386e728855d88b1': 'remove-folder',
  '208406b91455ec6913b79be447036c6a': 'claims',
  '5ba4c43c3da2ad53d64f391848baf225': 'write-claim',
  '9ee80d27edc96334c2f17c50aaad03c0': 'remove-claim',
  '057a166855bf0557171a0c14fec01fd8': 'look',
  b020fb7717d39fdb2d9aa44063074994: 'state',
  '9515bd7a8d30360fc63f2b31da061958': 'clone',
  fc25998eeeff7ceaa4350c22718d79e5: 'notes',
  '72d61f3bd869897195ccea415dca6358': 'start',
  '35223d48abbe95744088c5fd224ebb57': 'shutdown',
  '2566c4f29f28eb8e296b5ee9060ab82c': 'turn-off',
  '7ab9a2a2a03b7e3075234a33a9146ec1': 'reset',
  a544f967740493ca4e48a7e023b14918: 'suspend',
  f4bcaef57dec077785eef23c929a0891: 'resume',
  '36793886ec2ddd6b6bc4325f0c1ecdce': 'checkpoint',
  d1cc03a70536c27e8dba072c4c671cb3: 'restore',
  '2e8494b037c7dc5d2e3c08a32bf23c5d': 'remove-snapshot',
  '845b5cc62daf2bdafb2628a6a0798454': 'attach-disk',
  eee647634e4e33986270b1175bd0f8b1: 'detach-disk',
  '7f90d16daa7625fe67108fa532f92b18': 'attach-nic',
  c353553330a0ddbea019598753d2d9ae: 'detach-nic',
  cc1f6a7ff2e2d3f270a64d953311d36b: 'memory',
  '86c6cf20d1b46d01e654e3e79e69c3fb': 'nmi',
  ea2ee7f209fc831f95bfd980f58ecb3a: 'screenshot',
  '6a1a23edc024a73e23853a008d5f97f2': 'addresses',
  '62d765e4165cae552fe3ce7357c4149e': 'remove',
  a668bd572749959dcc7a0a886519c839: 'lease',
} as const satisfies Readonly<Record<string, string>>

/** The name of a text; undefined for one that is not guestcert's. */
export function nameOfText(text: string): HyperVText | undefined {
  return (names as Readonly<Record<string, HyperVText>>)[digestOf(text)]
}
