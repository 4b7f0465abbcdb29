import 'reflect-metadata'
import {
  type CanActivate,
  Controller,
  Delete,
  type ExecutionContext,
  Injectable,
  Module,
  Param,
  UseGuards,
} from '@nestjs/common'
import { NestFactory, Reflector } from '@nestjs/core'
import { AuthGuard, type User } from './sign-in.ts'

const Roles = Reflector.createDecorator<string[]>()

@Injectable()
class RolesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const roles = this.reflector.get(Roles, context.getHandler())
    const { user } = context.switchToHttp().getRequest<{ user: User }>()
    return roles.some(role => user.roles.includes(role))
  }
}

@Controller()
class NamesController {
  @Delete('names/:name')
  @UseGuards(AuthGuard, RolesGuard)
  @Roles(['EDITOR'])
  forget(@Param('name') name: string) {
    return { forgotten: name }
  }
}

@Module({ controllers: [NamesController] })
class NamesModule {}

const app = await NestFactory.create(NamesModule)
await app.listen(process.env.PORT ?? 3000)
