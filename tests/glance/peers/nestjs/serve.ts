import 'reflect-metadata'
import { Controller, Get, Module, Param, StandardSchemaValidationPipe, UsePipes } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import {
  MessagePattern,
  type MicroserviceOptions,
  type NatsOptions,
  Payload,
  RpcException,
  Transport,
} from '@nestjs/microservices'
import { z } from 'zod'

export const Greet = z.object({ name: z.string().min(2) })
export type Greet = z.infer<typeof Greet>
export type Greeting = { text: string }

@Controller()
export class GreetingController {
  @Get('greet/:name')
  @UsePipes(new StandardSchemaValidationPipe())
  greetOverHttp(@Param({ schema: Greet }) { name }: Greet): Greeting {
    return { text: `Hello ${name}` }
  }

  @MessagePattern('hello.greet')
  @UsePipes(new StandardSchemaValidationPipe({ exceptionFactory: issues => new RpcException({ issues }) }))
  greetOverNats(@Payload({ schema: Greet }) { name }: Greet): Greeting {
    return { text: `Hello ${name}` }
  }
}

@Module({ controllers: [GreetingController] })
export class AppModule {}

export const natsOptions: NatsOptions = {
  transport: Transport.NATS,
  options: { servers: [process.env.NATS_URL ?? 'nats://localhost:4222'], queue: 'hello' },
}

if (import.meta.main) {
  const app = await NestFactory.create(AppModule)
  app.connectMicroservice<MicroserviceOptions>(natsOptions)
  await app.startAllMicroservices()
  await app.listen(process.env.PORT ?? 3000)
}
