import { createHash } from 'node:crypto'
import { decode, encode } from '../../text/code-pages.js'
import { toNumber } from '../convert.js'
import { textOf } from '../text.js'
import { itemsOf, NetObject, type Value } from '../values.js'

/** Bytes of a value: an array of numbers, or bytes already. */
export function bytesOf(value: Value): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(itemsOf(value).map(it => toNumber(it)))
}

const names: Readonly<Record<number, string>> = {
  65001: 'utf-8',
  1200: 'utf-16',
  437: 'IBM437',
  850: 'ibm850',
  1252: 'Windows-1252',
  20127: 'us-ascii',
}

/** A System.Text.Encoding of a code page. */
export function encodingOf(page: number, preamble = true): NetObject {
  const real = page === 20127 ? 1252 : page
  return new NetObject(
    page === 65001
      ? 'System.Text.UTF8Encoding'
      : page === 1200
        ? 'System.Text.UnicodeEncoding'
        : 'System.Text.SBCSCodePageEncoding',
    {
      get: {
        codepage: () => page,
        webname: () => names[page] ?? '',
        bodyname: () => names[page] ?? '',
        encodingname: () => names[page] ?? '',
      },
      methods: {
        getbytes: ([text = null]) => encode(textOf(text), real),
        getstring: ([bytes = null, start = null, count = null]) => {
          const all = bytesOf(bytes)
          return decode(
            start === null ? all : all.subarray(toNumber(start), toNumber(start) + toNumber(count)),
            real,
          )
        },
        getbytecount: ([text = null]) => encode(textOf(text), real).length,
        getpreamble: () => (preamble && page === 65001 ? Buffer.from([0xef, 0xbb, 0xbf]) : Buffer.alloc(0)),
      },
      inner: { page, preamble },
    },
  )
}

/** The code page of an encoding; undefined where it is none. */
export function encodingPage(value: Value): number | undefined {
  return value instanceof NetObject ? (value.inner as { page?: number } | undefined)?.page : undefined
}

/** `[Text.Encoding]::UTF8` and its like. */
export function encodingNamed(type: string, name: string): Value | undefined {
  if (!/^system\.text\.(?:encoding|utf8encoding|asciiencoding|unicodeencoding)$/i.test(type)) return undefined
  const pages: Readonly<Record<string, number>> = {
    utf8: 65001,
    'utf-8': 65001,
    unicode: 1200,
    'utf-16': 1200,
    ascii: 20127,
    'us-ascii': 20127,
    default: 1252,
    'iso-8859-1': 1252,
    'windows-1252': 1252,
  }
  const page = pages[name.toLowerCase()] ?? (/^\d+$/.test(name) ? Number(name) : undefined)
  return page === undefined ? undefined : encodingOf(page)
}

/** A hash algorithm. */
export function digestOf(algorithm: string): NetObject {
  return new NetObject('System.Security.Cryptography.HashAlgorithm', {
    methods: {
      computehash: ([bytes = null]) => createHash(algorithm).update(bytesOf(bytes)).digest(),
      dispose: () => null,
    },
  })
}
