/** The service behind every proxy. */
import { createServer, type ServerResponse } from 'node:http'
import { answerParent } from '../../process.ts'
import { listen, receipt, SIZE_FIELD, SMALL_ANSWER, VERDICT, VERIFY_PATH } from '../traffic.ts'

const PIECE = Buffer.alloc(64 * 1024, 'x')

const server = createServer((request, response) => {
  const answer = (body: string) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
  }
  if (request.url === VERIFY_PATH) {
    request.resume()
    return answer(VERDICT)
  }
  if (request.method === 'POST') {
    let bytes = 0
    request.on('data', chunk => {
      bytes += chunk.length
    })
    request.on('end', () => answer(receipt(bytes)))
    return
  }
  const wanted = request.headers[SIZE_FIELD]
  if (wanted === undefined) answer(SMALL_ANSWER)
  else sendLarge(response, Number(wanted))
})

/** Only as fast as it is read. */
function sendLarge(response: ServerResponse, bytes: number): void {
  let left = bytes
  const send = () => {
    while (left > 0) {
      const piece = PIECE.subarray(0, left)
      left -= piece.length
      if (!response.write(piece)) return
    }
    response.end()
  }
  response.writeHead(200, { 'content-length': bytes }).on('drain', send)
  send()
}

const port = await listen(server)
answerParent({ ready: () => port })
