import type { StreamItem } from '../call/index.ts'

/** How the items of a stream and what happens to it are written. */
export interface StreamFormat {
  readonly type: string
  /** Sent at once, so that the client sees the stream open before there is an item. */
  start(retryMs: number): string
  item(item: StreamItem): string
  /** Sent while there is nothing else to send, so that nobody takes the connection for dead. */
  readonly silence: string
  /** The last words: after the last item, before the client comes back, or with the envelope of a failure. */
  end(name: 'end' | 'reconnect' | 'failure', data: string): string
}

/** @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
const EVENTS: StreamFormat = {
  type: 'text/event-stream; charset=utf-8',
  start: retryMs => `retry: ${retryMs}\n\n`,
  item: ({ id, text }) => (id === undefined ? `data: ${text}\n\n` : `id: ${id}\ndata: ${text}\n\n`),
  silence: ':\n\n',
  // Browsers ignore an event without data.
  end: (name, data) => `event: ${name}\ndata: ${data}\n\n`,
}

/** One object a line: `{"item":…,"id":…}`, at last `{"end":{}}`, `{"reconnect":{}}` or `{"failure":{…}}`, and `{}` for silence. */
const linesOf = (type: string): StreamFormat => ({
  type,
  start: () => '{}\n',
  item: ({ id, text }) => (id === undefined ? `{"item":${text}}\n` : `{"id":${JSON.stringify(id)},"item":${text}}\n`),
  silence: '{}\n',
  end: (name, data) => `{"${name}":${data}}\n`,
})

const LINES = ['application/jsonl', 'application/x-ndjson'].map(linesOf)

/** Server-sent events, unless the client accepts only JSON lines. */
export function formatOf(accept = ''): StreamFormat {
  return (!accept.includes('text/event-stream') && LINES.find(({ type }) => accept.includes(type))) || EVENTS
}
