import 'reflect-metadata'
import { Controller, Inject, Injectable, Module, StandardSchemaValidationPipe, UsePipes } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { type ClientProxy, ClientsModule, EventPattern, type MicroserviceOptions, Payload } from '@nestjs/microservices'
import { z } from 'zod'
import { natsOptions } from './serve.ts'

const Greeted = z.object({ name: z.string() })
type Greeted = z.infer<typeof Greeted>

@Injectable()
class Announcer {
  constructor(@Inject('NATS') private readonly client: ClientProxy) {}
  greeted(event: Greeted) {
    this.client.emit<void, Greeted>('name.greeted', event)
  }
}

@Controller()
class Listener {
  @EventPattern('name.greeted')
  @UsePipes(new StandardSchemaValidationPipe())
  welcome(@Payload({ schema: Greeted }) { name }: Greeted) {
    console.log(`Welcome ${name}`)
  }
}

@Module({
  imports: [ClientsModule.register([{ name: 'NATS', ...natsOptions }])],
  controllers: [Listener],
  providers: [Announcer],
})
class EventModule {}

const app = await NestFactory.createMicroservice<MicroserviceOptions>(EventModule, natsOptions)
await app.listen()
app.get(Announcer).greeted({ name: 'Ada' })
