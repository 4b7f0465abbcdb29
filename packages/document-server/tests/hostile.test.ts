import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { Decimal128, type Document, deserialize, Long, serialize } from 'bson'
import { MongoClient } from 'mongodb'
import { embeddedTarget, type Target } from './support/target.ts'
import { message, opMsg, opQuery, Wire } from './support/wire.ts'

let target: Target
let client: MongoClient
before(async () => {
  target = await embeddedTarget()
  client = new MongoClient(target.url, { promoteValues: true })
})
after(async () => {
  await client.close()
  await target[Symbol.asyncDispose]()
})

async function open(): Promise<Socket> {
  const socket = connect(Number(new URL(target.url).port), '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

/** The replies until the server closes the connection, or the given number of replies. */
async function exchange(bytes: Uint8Array, replies = Number.POSITIVE_INFINITY): Promise<Document[]> {
  const socket = await open()
  const answers: Document[] = []
  let received = Buffer.alloc(0)
  socket.on('error', () => undefined)
  socket.write(bytes)
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk])
    while (received.byteLength >= 4 && received.byteLength >= received.readInt32LE(0)) {
      const length = received.readInt32LE(0)
      const skip = received.readInt32LE(12) === 1 ? 36 : 21
      answers.push(deserialize(received.subarray(skip, length)))
      received = received.subarray(length)
    }
    if (answers.length >= replies) break
  }
  socket.destroy()
  return answers
}

const ping = opMsg({ ping: 1, $db: 'a' })
const alive = async () => assert.equal((await client.db('a').command({ ping: 1 })).ok, 1)

test('impossible lengths end the connection', async () => {
  for (const length of [0, 15, -1, 48_000_001, 2 ** 31 - 1])
    assert.deepEqual(await exchange(message(2013, Buffer.alloc(40), length)), [])
  await alive()
})

test('unknown opcodes, flags, sections and checksums end the connection after the earlier replies', async () => {
  const body = serialize({ ping: 1, $db: 'a' })
  const bad = [
    message(2012, Buffer.alloc(30)),
    message(2001, Buffer.alloc(30)),
    opMsg({ ping: 1, $db: 'a' }, 1),
    opMsg({ ping: 1, $db: 'a' }, 1 << 5),
    message(2013, Buffer.concat([Buffer.alloc(4), Buffer.of(9), body])),
    message(2013, Buffer.concat([Buffer.alloc(5), body, Buffer.of(0), body])),
    message(2013, Buffer.concat([Buffer.alloc(5), body.subarray(0, 9)])),
    message(2013, Buffer.alloc(4)),
  ]
  for (const bytes of bad) assert.equal((await exchange(Buffer.concat([ping, bytes, ping]))).length, 1)
  await alive()
})

test('a message in single bytes is understood, and so are many messages in one piece', async () => {
  const socket = await open()
  socket.setNoDelay(true)
  for (const byte of ping) socket.write(Buffer.of(byte))
  const [reply] = await once(socket, 'data')
  assert.equal(deserialize(reply.subarray(21)).ok, 1)
  socket.destroy()
  assert.equal((await exchange(Buffer.concat(Array.from({ length: 50 }, () => ping)), 50)).length, 50)
})

test('invalid BSON is answered with an error', async () => {
  const body = serialize({ find: 'c', filter: { a: 'text' }, $db: 'a' })
  const broken = Buffer.from(body)
  broken.writeInt32LE(9999, broken.indexOf('text') - 4)
  const [reply] = await exchange(message(2013, Buffer.concat([Buffer.alloc(5), broken])), 1)
  assert.deepEqual([reply?.ok, reply?.codeName], [0, 'BadValue'])
})

test('the legacy handshake is answered, and other legacy commands are refused', async () => {
  const [hello, refused] = await exchange(
    Buffer.concat([opQuery({ ismaster: 1, helloOk: true }), opQuery({ insert: 'c' })]),
    2,
  )
  assert.deepEqual([hello?.ismaster, hello?.helloOk], [true, true])
  assert.deepEqual([refused?.ok, refused?.code], [0, 59])
})

test('randomly damaged messages never stop the server', async () => {
  const good = [
    opMsg({ insert: 'fuzz', documents: [{ a: 1, b: ['x', { c: 2.5 }] }], $db: 'a' }),
    opMsg({ update: 'fuzz', updates: [{ q: { a: 1 }, u: { $set: { 'b.0': 'y' } }, upsert: true }], $db: 'a' }),
    opMsg({ aggregate: 'fuzz', pipeline: [{ $match: { a: 1 } }, { $group: { _id: '$a' } }], cursor: {}, $db: 'a' }),
  ]
  let seed = 42
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
    return seed % below
  }
  const damaged = Array.from({ length: 300 }, () => {
    const bytes = Buffer.from(good[random(good.length)] ?? ping)
    // The length stays intact, so that most damaged messages reach the parsers.
    for (let hits = 1 + random(4); hits > 0; hits--) bytes[4 + random(bytes.byteLength - 4)] = random(256)
    return bytes
  })
  for (let at = 0; at < damaged.length; at += 30)
    await Promise.all(
      damaged.slice(at, at + 30).map(async bytes => {
        const socket = await open()
        socket.on('error', () => undefined)
        socket.end(bytes)
        socket.resume()
        await once(socket, 'close')
      }),
    )
  await alive()
})

test('a client that leaves in the middle of a message or a result harms nobody', async () => {
  await client
    .db('a')
    .collection('large')
    .insertMany(Array.from({ length: 20 }, () => ({ text: 'x'.repeat(500_000) })))
  for (const bytes of [
    ping.subarray(0, 20),
    Buffer.concat(Array.from({ length: 5 }, () => opMsg({ find: 'large', $db: 'a' }))),
  ]) {
    const { socket } = await Wire.signedIn(target.url)
    socket.pause()
    socket.write(bytes)
    await new Promise(done => setImmediate(done))
    socket.resetAndDestroy()
  }
  await alive()
})

test('names that could reach a prototype are refused, and no prototype changes', async () => {
  const collection = client.db('a').collection<Document>('proto')
  const evil = JSON.parse('{"__proto__": {"polluted": true}}')
  await assert.rejects(collection.insertOne({ ...JSON.parse('{"x": 1}'), n: evil }), /__proto__/)
  await collection.insertOne({ a: 1 })
  await assert.rejects(collection.updateOne({}, { $set: { '__proto__.polluted': true } }), /__proto__/)
  await assert.rejects(collection.updateOne({}, { $rename: { a: '__proto__.polluted' } }), /__proto__/)
  await collection.updateOne({}, { $set: { 'constructor.prototype.polluted': true } })
  await collection.updateOne({}, [{ $set: { 'constructor.prototype.polluted2': true } }])
  const pipeline = [
    { $addFields: { 'toString.x': 1 } },
    { $project: { 'constructor.prototype.p': { $add: [1, 1] }, x: '$valueOf', y: '$a.constructor' } },
  ]
  const [row] = await collection.aggregate(pipeline).toArray()
  assert.deepEqual([row?.x, row?.y], [undefined, undefined])
  assert.equal(await collection.countDocuments({ 'toString.name': 'toString' }), 0)
  assert.equal(Reflect.get({}, 'polluted') ?? Reflect.get({}, 'polluted2') ?? Reflect.get({}, 'p'), undefined)
  await assert.rejects(client.db('a').command({ constructor: 1 }), { code: 59 })
  await assert.rejects(
    client
      .db('a')
      .command({ find: 'c', filter: { a: { constructor: 1, $gt: 1 } } })
      .then(() => client.db('a').command({ toString: 1 })),
    { code: 59 },
  )
})

test('JavaScript from the client is never run', async () => {
  const collection = client.db('a').collection<Document>('js')
  await collection.insertOne({ a: 1 })
  const body = 'function() { return true }'
  await assert.rejects(collection.find({ $where: body }).toArray(), /\$where/)
  await assert.rejects(collection.find({ $and: [{ $where: body }] }).toArray(), /\$where/)
  await assert.rejects(
    collection.find({ $expr: { $function: { body, args: [], lang: 'js' } } }).toArray(),
    /\$function/,
  )
  await assert.rejects(
    collection.aggregate([{ $group: { _id: 1, x: { $accumulator: {} } } }]).toArray(),
    /\$accumulator/,
  )
})

test('transactions are refused clearly', async () => {
  const session = client.startSession()
  session.startTransaction()
  await assert.rejects(client.db('a').collection('t').insertOne({}, { session }), {
    code: 263,
    message: /transactions are not supported/,
  })
  await session.endSession()
  const command = { insert: 't', documents: [{}], txnNumber: 1 }
  await assert.rejects(client.db('a').command(command), { code: 20 })
})

test('arithmetic that JavaScript cannot do exactly is exact', async () => {
  const collection = client.db('a').collection<Document>('decimal')
  await collection.insertOne({ d: Decimal128.fromString('0.1'), l: Long.fromString('9007199254740993') })
  await collection.updateOne({}, { $inc: { d: Decimal128.fromString('0.2'), l: 2 } })
  const { d, l } = (await collection.findOne<Document>({}, { promoteLongs: false })) ?? {}
  assert.deepEqual([String(d), String(l)], ['0.3', '9007199254740995'])
  const project = { d: { $subtract: ['$d', Decimal128.fromString('0.1')] }, l: { $multiply: ['$l', 3] } }
  const [row] = await collection.aggregate([{ $project: project }], { promoteLongs: false }).toArray()
  assert.deepEqual([String(row?.d), String(row?.l)], ['0.2', '27021597764222985'])
})

test('nesting has a limit, and the server survives deeper documents', async () => {
  let deep: Document = {}
  for (let depth = 0; depth < 5000; depth++) deep = { a: deep }
  const [reply] = await exchange(opMsg({ insert: 'deep', documents: [deep], $db: 'a' }), 1)
  assert.deepEqual([reply?.ok, reply?.codeName], [0, 'Overflow'])
  await alive()
})
