import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Binary, type Document, deserialize, serialize } from 'bson'

/** A reply may hold a stored expression that JavaScript cannot compile. */
const raw = { bsonRegExp: true }

/** A whole message with its header. */
export function message(opcode: number, body: Uint8Array, length = 16 + body.byteLength): Buffer {
  const header = Buffer.alloc(16)
  header.writeInt32LE(length, 0)
  header.writeInt32LE(7, 4)
  header.writeInt32LE(opcode, 12)
  return Buffer.concat([header, body])
}

export function opMsg(doc: Document, flags = 0): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32LE(flags, 0)
  return message(2013, Buffer.concat([head, serialize(doc)]))
}

export function opQuery(doc: Document): Buffer {
  return message(2004, Buffer.concat([Buffer.alloc(4), Buffer.from('admin.$cmd\0'), Buffer.alloc(8), serialize(doc)]))
}

/** A connection that can send any bytes. */
export class Wire implements Disposable {
  readonly socket: Socket
  readonly closed: Promise<unknown>
  readonly #replies: Document[] = []
  #wake: () => void = () => undefined
  #ended = false

  constructor(url: string) {
    this.socket = connect(Number(new URL(url).port), '127.0.0.1')
    let received = Buffer.alloc(0)
    this.closed = once(this.socket, 'close').catch(() => undefined)
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => {
      this.#ended = true
      this.#wake()
    })
    this.socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      while (received.byteLength >= 4 && received.byteLength >= received.readInt32LE(0)) {
        const length = received.readInt32LE(0)
        this.#replies.push(deserialize(received.subarray(received.readInt32LE(12) === 1 ? 36 : 21, length), raw))
        received = received.subarray(length)
      }
      this.#wake()
    })
  }

  /** A connection that has signed in with the credentials of the URL. */
  static async signedIn(url: string): Promise<Wire> {
    const wire = new Wire(url)
    const { username, password } = new URL(url)
    const reply = await wire.signIn(username, decodeURIComponent(password))
    if (reply?.ok !== 1) throw new Error(`cannot sign in: ${JSON.stringify(reply)}`)
    return wire
  }

  get ended(): boolean {
    return this.#ended
  }

  /** The next reply, or undefined if the server ends the connection first. */
  async next(): Promise<Document | undefined> {
    while (this.#replies.length === 0 && !this.#ended)
      await new Promise<void>(done => {
        this.#wake = done
      })
    return this.#replies.shift()
  }

  /** Waits until the server has answered everything, and discards the answers. */
  async drained(): Promise<void> {
    this.socket.write(opMsg({ connectionStatus: 1, $db: 'a' }))
    for (let reply = await this.next(); reply && !reply.authInfo; ) reply = await this.next()
  }

  ask(doc: Document): Promise<Document | undefined> {
    this.socket.write(opMsg({ ...doc, $db: doc.$db ?? 'a' }))
    return this.next()
  }

  async signIn(
    user: string,
    password: string,
    options: Document = { skipEmptyExchange: true },
  ): Promise<Document | undefined> {
    const { bare, payload } = firstMessage(user)
    const begun = await this.ask({ saslStart: 1, mechanism: 'SCRAM-SHA-256', payload, options, $db: 'admin' })
    if (begun?.ok !== 1) return begun
    return this.ask({
      saslContinue: 1,
      conversationId: begun.conversationId,
      payload: finalMessage(begun.payload, bare, password),
      $db: 'admin',
    })
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}

export function firstMessage(user: string): { bare: string; payload: Binary } {
  const bare = `n=${user},r=${randomBytes(18).toString('base64')}`
  return { bare, payload: new Binary(Buffer.from(`n,,${bare}`)) }
}

/** The slow part is done once for each password and salt, as in drivers. */
const hashed = new Map<string, Buffer>()

function finalMessage(first: Binary, bare: string, password: string): Binary {
  const text = Buffer.from(first.value()).toString()
  const [, nonce = '', salt = '', rounds = ''] = /^r=([^,]*),s=([^,]*),i=(\d+)$/.exec(text) ?? []
  const key = `${password} ${salt} ${rounds}`
  const salted = hashed.get(key) ?? pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(rounds), 32, 'sha256')
  hashed.set(key, salted)
  const sign = (key: Buffer, data: string) => createHmac('sha256', key).update(data).digest()
  const clientKey = sign(salted, 'Client Key')
  const withoutProof = `c=biws,r=${nonce}`
  const signature = sign(createHash('sha256').update(clientKey).digest(), `${bare},${text},${withoutProof}`)
  const proof = clientKey.map((byte, at) => byte ^ (signature[at] ?? 0))
  return new Binary(Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`))
}
