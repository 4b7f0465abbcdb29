/** How Kong writes an error of its own. */
interface Format {
  readonly type: string
  write(message: string, requestId: string): string
}

const JSON_FORMAT: Format = {
  type: 'application/json; charset=utf-8',
  write: (message, request_id) => JSON.stringify({ message, request_id }),
}
const PLAIN: Format = {
  type: 'text/plain; charset=utf-8',
  write: (message, id) => `${message}\nrequest_id: ${id}\n`,
}
const HTML: Format = {
  type: 'text/html; charset=utf-8',
  write: (message, id) =>
    `<!doctype html>\n<html>\n  <head>\n    <meta charset="utf-8">\n    <title>Error</title>\n  </head>\n  <body>\n    <h1>Error</h1>\n    <p>${escaped(message)}.</p>\n    <p>request_id: ${id}</p>\n  </body>\n</html>\n`,
}
const XML: Format = {
  type: 'application/xml; charset=utf-8',
  write: (message, id) =>
    `<?xml version="1.0" encoding="UTF-8"?>\n<error>\n  <message>${escaped(message)}</message>\n  <requestid>${id}</requestid>\n</error>\n`,
}

const FORMATS: ReadonlyMap<string, Format> = new Map([
  ['*/*', JSON_FORMAT],
  ['application/*', JSON_FORMAT],
  ['application/json', JSON_FORMAT],
  ['application/xml', XML],
  ['text/*', PLAIN],
  ['text/html', HTML],
  ['text/plain', PLAIN],
])

/** For errors of Kong: the accepted type with the highest quality, JSON in doubt. */
export function formatFor(accept = ''): Format {
  let best = JSON_FORMAT
  let highest = 0
  for (const part of accept.split(',')) {
    const [, type = '', quality = '1'] = /^\s*([^\s;]+\/[^\s;]+)(?:.*;\s*q=([\d.]+))?/i.exec(part) ?? []
    if (type === '' || !(Number(quality) > highest)) continue
    highest = Number(quality)
    best = FORMATS.get(type.toLowerCase()) ?? best
  }
  return best
}

/** For errors of the nginx in Kong: the accepted type if there is one, JSON if there are several, plain text if none is named. */
export function nginxFormatFor(accept: string | undefined, contentType: string | undefined): Format {
  const [type = ''] = (accept ?? contentType ?? 'text/plain').split(';')
  return FORMATS.get(type.trim()) ?? JSON_FORMAT
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
