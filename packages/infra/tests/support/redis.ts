import { connect } from 'node:net'

/** Encodes words in the wire format of Redis (https://redis.io/docs/latest/develop/reference/protocol-spec). */
function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
}

/** Sends a command to a Redis server, as the user of the URL if it names one, and returns the raw answer. */
export function redis(url: string, ...command: readonly string[]): Promise<string> {
  const { hostname, port, username, password } = new URL(url)
  const login = password === '' ? '' : encode(['AUTH', username, password])
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(login + encode(command)))
    socket.setTimeout(5000, () => socket.destroy(new Error('redis did not answer in time')))
    let all = ''
    let answer = ''
    socket.on('data', chunk => {
      all += chunk
      answer = login === '' ? all : all.slice(all.indexOf('\r\n') + 2)
      const bulk = /^\$(\d+)\r\n/.exec(answer)
      const whole = bulk === null ? answer.endsWith('\r\n') : answer.length >= bulk[0].length + Number(bulk[1]) + 2
      if (whole) socket.end()
    })
    socket.on('close', () => resolve(answer.trimEnd()))
    socket.on('error', reject)
  })
}
