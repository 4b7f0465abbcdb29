import { type CanActivate, type ExecutionContext, Injectable, UnauthorizedException } from '@nestjs/common'

export interface User {
  readonly roles: readonly string[]
}

/** Stands for the application's sign-in: the token says which roles the user has. */
@Injectable()
export class AuthGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: { authorization?: string }; user?: User }>()
    const [, role] = /^Bearer (\w+)$/.exec(request.headers.authorization ?? '') ?? []
    if (role === undefined) throw new UnauthorizedException()
    request.user = { roles: [role] }
    return true
  }
}
