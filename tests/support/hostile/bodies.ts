import { gzipSync } from 'node:zlib'
import type { Sent } from '../send.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const DEEP = 20_000
/** Fifty megabytes when decompressed. */
const BOMB = gzipSync(Buffer.alloc(50_000_000))

/** Bodies that no procedure accepts: a description of each, and how it is sent. */
export function hostileBodies(good: object): Readonly<Record<string, Sent>> {
  const text = JSON.stringify(good)
  const json = (bytes: string | Uint8Array): Sent => ({ headers: JSON_TYPE, bytes })
  const typed = (type: string, bytes: string | Uint8Array = text): Sent => ({
    headers: { 'content-type': type },
    bytes,
  })
  const extended = (member: string) => json(`${text.slice(0, -1)}${text === '{}' ? '' : ','}${member}}`)
  return {
    // no JSON
    'half a body': json(text.slice(0, -1)),
    'nothing but a brace': json('{'),
    'two bodies': json(text + text),
    'text behind': json(`${text} drop`),
    comment: json(`/* */ ${text}`),
    'single quotes': json(`{'a':'b'}`),
    'comma at the end': json(`${text.slice(0, -1)},}`),
    'unquoted name': json('{a:1}'),
    'not a number': json('{"a":NaN}'),
    infinity: json('{"a":Infinity}'),
    'hexadecimal number': json('{"a":0x10}'),
    'leading zero': json('{"a":010}'),
    'bad escape': json('{"a":"\\x41"}'),
    'line break in text': json('{"a":"\n"}'),
    'form feed': json(`\f${text}`),
    'no-break space': json(`\u00A0${text}`),
    NUL: json(`${text}\0`),
    'a program': json('process.exit(1)'),
    // other bytes
    'broken UTF-8': json(Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xf0, 0x90, 0x80]), Buffer.from('"}')])),
    'overlong UTF-8': json(Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')])),
    'surrogate in UTF-8': json(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])),
    'UTF-16': json(Buffer.from(text, 'utf16le')),
    'UTF-16 with its mark': json(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])),
    'random bytes': json(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))),
    gzip: { headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, bytes: gzipSync(text) },
    'a body that is not the gzip it claims to be': {
      headers: { ...JSON_TYPE, 'content-encoding': 'gzip' },
      bytes: text,
    },
    'a bomb': { headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, bytes: BOMB },
    'unknown coding': { headers: { ...JSON_TYPE, 'content-encoding': 'aes128gcm' }, bytes: text },
    // other types
    'plain text': typed('text/plain'),
    form: typed('application/x-www-form-urlencoded', 'a=b&roles[]=ADMIN'),
    multipart: typed(
      'multipart/form-data; boundary=x',
      '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n--x--',
    ),
    xml: typed('application/xml', '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
    yaml: typed('application/yaml', '!!js/function "function(){}"'),
    binary: typed('application/octet-stream'),
    'almost JSON': typed('application/jsonp'),
    'JSON merge patch': typed('application/merge-patch+json'),
    'two types': typed('application/json, text/plain'),
    'no type': { bytes: text },
    'an invalid content type': typed('json'),
    // JSON of another shape
    // Where no body is expected, null counts as no body.
    ...(text === '{}' ? {} : { null: json('null') }),
    true: json('true'),
    'a number': json('1e400'),
    'a text': json('"abc"'),
    'a list': json(`[${text}]`),
    'an empty list': json('[]'),
    // names
    __proto__: extended('"__proto__":{"role":"ADMIN"}'),
    '__proto__ escaped': extended('"\\u005f_proto__":{"role":"ADMIN"}'),
    'constructor.prototype': extended('"constructor":{"prototype":{"role":"ADMIN"}}'),
    'an operator': extended('"$set":{"role":"ADMIN"}'),
    'a program for MongoDB': extended('"$where":"sleep(10000)"'),
    'more than is asked': extended('"roles":["ADMIN"],"verified":true,"status":true,"author":"me","score":1'),
    'an empty name': extended('"":1'),
    'NUL in a name': extended('"a\\u0000b":1'),
    'a lone surrogate in a name': extended('"\\ud800":1'),
    'ten thousand names': extended(Array.from({ length: 10_000 }, (_, number) => `"n${number}":${number}`).join()),
    // size
    'deep list': json('['.repeat(DEEP)),
    'deep list, closed': json('['.repeat(DEEP) + ']'.repeat(DEEP)),
    'deep object': json(`${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`),
    'deep in a field': extended(`"a":${'['.repeat(DEEP)}${']'.repeat(DEEP)}`),
    'a million digits': json(`{"a":${'9'.repeat(400_000)}}`),
    'a long name': json(`{"${'a'.repeat(400_000)}":1}`),
    'equal items': json(
      `{"tags":[${Array(100_000).fill('"A"').join()}],"roles":[${Array(10_000).fill('"ADMIN"').join()}]}`,
    ),
    'too large': json(`{"a":"${'a'.repeat(600_000)}"}`),
  }
}
