import type { Message } from './protocol.ts'

/** What plain NATS clients send, without any of our code. */
export interface Probe {
  readonly name: string
  readonly sent: readonly Message[]
}

const headers = (lines: Record<string, string>) =>
  `NATS/1.0\r\n${Object.entries(lines)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`
let count = 0
const ask = (subject: string, payload: string, sent?: Record<string, string>): Message => ({
  subject,
  reply: `_INBOX.probe.${count++}`,
  ...(sent ? { headers: headers(sent) } : {}),
  payload,
})
const probe = (name: string, ...sent: Message[]): Probe => ({ name, sent })
const discovery = (verb: string) => probe(verb, ask(`$SRV.${verb}`, ''), ask(`$SRV.${verb}.shop`, ''))

const BEFORE: readonly Probe[] = ['PING', 'INFO', 'STATS'].map(discovery)
const REQUESTS: readonly Probe[] = [
  probe('without headers', ask('shop.item.get', '{"data":{"id":"a"}}')),
  probe(
    'fields that the schema does not name',
    ask('shop.item.get', '{"data":{"id":"a","b":1,"deep":{"a":1,"b":2}},"c":1}'),
  ),
  probe('spaces and escapes', ask('shop.item.get', ' { "data" : { "id" : "\\u0061\\/" } } ')),
  probe('no body', ask('shop.nothing', ''), ask('shop.nothing', '{}'), ask('shop.nothing', '{"data":null}')),
  probe('no body, where one is asked for', ask('shop.item.get', ''), ask('shop.item.get', '{}')),
  probe('a field of another type', ask('shop.item.get', '{"data":{"id":5}}')),
  probe('several that do not match', ask('shop.item.get', '{"data":{"deep":{"a":"x"}}}')),
  probe('a default', ask('shop.search', '{"data":{"filter":{}}}')),
  probe('a transform that fails', ask('shop.buy', '{"data":{"price":"12","at":"no date"}}')),
  probe('a number that would be rounded', ask('shop.search', '{"data":{"filter":{"limit":9007199254740993}}}')),
  probe('no envelope', ...['{', 'null', '[]', '"x"', '5', '\0'].map(body => ask('shop.item.get', body))),
  probe(
    'half a character',
    ask('shop.item.get', '{"data":{"id":"\\ud800"}}'),
    ask('shop.item.get', '{"data":{"id":"\\u0000"}}'),
  ),
  probe('no time left', ask('shop.item.get', '{"data":{"id":"a"}}', { 'Tsmicro-Budget-Ms': '0' })),
  probe(
    'invalid budgets',
    ...['', 'x', '-5', '1e999'].map(budget => ask('shop.nothing', '', { 'Tsmicro-Budget-Ms': budget })),
  ),
  probe(
    'whatever the spelling of its headers',
    ask('shop.write', '{"data":{"id":"a"}}', { AUTHORIZATION: 'bearer ann.ADMIN' }),
  ),
  probe(
    'headers that are passed on',
    ask('shop.nothing', '', {
      'X-Request-Id': 'r-5',
      Traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      more: 'x',
    }),
  ),
  probe('nobody', ask('shop.write', '{'), ask('shop.mine', '{}')),
  probe('no token', ask('shop.mine', '{}', { authorization: 'Bearer x' })),
  probe('no answer wanted', { subject: 'shop.nothing', payload: '' }),
  probe('a reply subject that is not an inbox', { subject: 'shop.nothing', reply: 'shop.made', payload: '' }),
  probe(
    'a batch',
    ask(
      'shop.item.get.batch',
      '[["0",60000,0,{"id":"a"}],["z",60000,{"x-request-id":"r-6"},{"id":"none"}],["1",0,0,{"id":"a"}],["2",60000,0,{"id":5}],["3",60000,0]]',
    ),
  ),
  probe('a batch that is not a list', ...['', '{', '{}', 'null'].map(body => ask('shop.item.get.batch', body))),
  probe('invalid calls within a batch', ask('shop.nothing.batch', '[1,[],["0"],["TOKEN",60000,0],["1","x",[],null]]')),
  probe(
    'more calls than a batch may have',
    ask('shop.nothing.batch', JSON.stringify(Array.from({ length: 65 }, (_, n) => [n.toString(36), 60_000, 0]))),
  ),
  probe('a cancellation of invalid ids', { subject: '_TSMICRO.cancel.shop', payload: '\n\n x y z\n_INBOX.1 1' }),
]
const EVENTS: readonly Probe[] = [
  probe(
    'events of a plain publisher',
    {
      subject: 'shop.made',
      headers: headers({ 'Nats-Msg-Id': 'm-1', 'ce-id': '', 'ce-time': 'T' }),
      payload: '{"id":"a","n":1,"b":2}',
    },
    ...['', '{', 'null', '{"id":"a"}', '{"id":"a","n":9007199254740993}'].map(payload => ({
      subject: 'shop.made',
      payload,
    })),
    {
      subject: 'item.priced',
      headers: headers({
        'CE-ID': '%22%C3%A4',
        'ce-source': '%zz',
        'ce-time': 'T',
        'ce-dataversion': '3',
        'ce-aggregatesequence': '-1',
      }),
      payload: '{"id":"a","price":"5","at":"2026-01-02T03:04:05Z"}',
    },
  ),
]

/** The order matters: the answers include the service's statistics. */
export const PROBES: readonly Probe[] = [...BEFORE, ...REQUESTS, ...EVENTS]
