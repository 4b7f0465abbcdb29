import type { Controller } from './controller.ts'
import type { Module } from './module.ts'

/** What is mounted together: the module's own handlers, or a controller. */
export type Part = Pick<
  Controller,
  'basePath' | 'authentication' | 'authorization' | 'handlers' | 'mountRoutes' | 'mountNats'
> & {
  /** For errors. */
  readonly label: string
}

/** A controller has the module's providers where it has none of its own. */
export function partsOf({ handlers = [], controllers = [], authentication, authorization }: Module): readonly Part[] {
  const own: Part = {
    label: 'the module',
    basePath: '/',
    authentication,
    authorization,
    handlers,
    mountRoutes() {},
    mountNats() {},
  }
  const others = controllers.map(controller => ({
    label: controller.constructor.name,
    basePath: controller.basePath,
    authentication: controller.authentication ?? authentication,
    authorization: controller.authorization ?? authorization,
    handlers: controller.handlers,
    mountRoutes: controller.mountRoutes.bind(controller),
    mountNats: controller.mountNats.bind(controller),
  }))
  return [own, ...others]
}
