import 'reflect-metadata'
import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  HttpCode,
  Module,
  Param,
  Post,
  UseGuards,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication, RouteSchema } from '@nestjs/platform-fastify'
import { listen, logResponses, SCHEMAS } from '../subjects.ts'
import { created, isPermitted, itemOf } from '../traffic.ts'

class Permitted implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return isPermitted(context.switchToHttp().getRequest().headers.authorization)
  }
}

class Items {
  get(id: string) {
    return itemOf(id)
  }
  create(body: Parameters<typeof created>[0]) {
    return created(body)
  }
  own(id: string) {
    return itemOf(id)
  }
}

/** Decorators are applied as functions: no build step here. */
function decorate(name: keyof Items, ...decorators: MethodDecorator[]): void {
  const method = Object.getOwnPropertyDescriptor(Items.prototype, name) ?? {}
  for (const each of decorators) each(Items.prototype, name, method)
}

decorate('get', Get('items/:id'), RouteSchema(SCHEMAS.get))
decorate('create', Post('items'), HttpCode(200), RouteSchema(SCHEMAS.post))
decorate('own', Get('own/:id'), RouteSchema(SCHEMAS.get), UseGuards(Permitted))
Param('id')(Items.prototype, 'get', 0)
Body()(Items.prototype, 'create', 0)
Param('id')(Items.prototype, 'own', 0)
Controller()(Items)

export async function open(logged: boolean): Promise<number> {
  class App {}
  Module({ controllers: [Items], providers: [Permitted] })(App)
  const app = await NestFactory.create<NestFastifyApplication>(App, new FastifyAdapter(), { logger: false })
  const fastify = app.getHttpAdapter().getInstance()
  if (logged) logResponses(fastify as unknown as Parameters<typeof logResponses>[0])
  await app.init()
  await fastify.ready()
  return listen(fastify.server)
}
