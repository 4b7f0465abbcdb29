import 'reflect-metadata'
import { Controller, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ClientProxyFactory, MessagePattern, type MicroserviceOptions, Transport } from '@nestjs/microservices'
import { firstValueFrom } from 'rxjs'
import { ACTION, type Answer, type Request } from '../payload.ts'
import type { Subject } from '../subjects.ts'

/** A plain microservice without pipes: nothing is validated. Decorators are applied as functions: no build step here. */
export const subject: Subject = {
  async serve({ natsUrl, service }, answer) {
    class Sessions {
      validateToken(request: Request): Promise<Answer> {
        return answer(request)
      }
    }
    const method = Object.getOwnPropertyDescriptor(Sessions.prototype, 'validateToken') ?? {}
    MessagePattern(`${service}.${ACTION}`)(Sessions.prototype, 'validateToken', method)
    Controller()(Sessions)
    class App {}
    Module({ controllers: [Sessions] })(App)
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(App, {
      transport: Transport.NATS,
      options: { servers: [natsUrl], queue: 'q' },
      logger: false,
    })
    await app.listen()
  },
  async connect({ natsUrl, service }) {
    const client = ClientProxyFactory.create({ transport: Transport.NATS, options: { servers: [natsUrl] } })
    await client.connect()
    const pattern = `${service}.${ACTION}`
    return request => firstValueFrom(client.send<Answer, Request>(pattern, request))
  },
}
