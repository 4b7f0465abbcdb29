import 'reflect-metadata'
import { Controller, Delete, Module, Param, UseGuards } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { AuthGuard } from './sign-in.ts'

@Controller()
class NamesController {
  @Delete('names/:name')
  @UseGuards(AuthGuard)
  forget(@Param('name') name: string) {
    return { forgotten: name }
  }
}

@Module({ controllers: [NamesController] })
class NamesModule {}

const app = await NestFactory.create(NamesModule)
await app.listen(process.env.PORT ?? 3000)
