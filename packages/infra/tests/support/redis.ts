import { connect } from 'node:net'

/** One command to a Redis server, by its wire format (https://redis.io/docs/latest/develop/reference/protocol-spec): the raw answer. */
export function redis(url: string, ...command: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url)
  const words = command.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(`*${words.length}\r\n${words.join('')}`))
    socket.setTimeout(5000, () => socket.destroy(new Error('redis did not answer in time')))
    let answer = ''
    socket.on('data', chunk => {
      answer += chunk
      const bulk = /^\$(\d+)\r\n/.exec(answer)
      const whole = bulk === null ? answer.endsWith('\r\n') : answer.length >= bulk[0].length + Number(bulk[1]) + 2
      if (whole) socket.end()
    })
    socket.on('close', () => resolve(answer.trimEnd()))
    socket.on('error', reject)
  })
}
