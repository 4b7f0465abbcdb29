import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientProxyFactory, type MicroserviceOptions } from '@nestjs/microservices'
import { Test } from '@nestjs/testing'
import { firstValueFrom } from 'rxjs'
import request from 'supertest'
import { AppModule, natsOptions } from './serve.ts'

test('greets at both doors, and nobody without a name', async t => {
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile()
  const app = module.createNestApplication()
  app.connectMicroservice<MicroserviceOptions>(natsOptions)
  await app.startAllMicroservices()
  await app.init()
  t.after(() => app.close())
  await request(app.getHttpServer()).get('/greet/Ada').expect(200, { text: 'Hello Ada' })
  await request(app.getHttpServer()).get('/greet/A').expect(400)
  const client = ClientProxyFactory.create(natsOptions)
  t.after(() => client.close())
  assert.deepEqual(await firstValueFrom(client.send('hello.greet', { name: 'Ada' })), { text: 'Hello Ada' })
  await assert.rejects(firstValueFrom(client.send('hello.greet', { name: 'A' })))
})
