import { createServer } from 'node:net'
import { isPortFree } from '@tsmicro/infra'

/**
 * Takes a port for this process among all supervisors on the machine, and looks whether it is free of everybody else. Between
 * that look and the service's own bind, another supervisor starting at the same time would see it free, too.
 *
 * The reservation is a name in Linux's abstract socket namespace: the kernel gives it to one process and takes it back when
 * that ends, however it ends. Elsewhere there is no such namespace, and only the look remains.
 */
export async function reservePort(port: number): Promise<boolean> {
  return (await reserveName(`tsmicro-port-${port}`)) && (await isPortFree(port))
}

function reserveName(name: string): Promise<boolean> {
  if (process.platform !== 'linux') return Promise.resolve(true)
  const holder = createServer(socket => socket.destroy())
  return new Promise(resolve => {
    holder.once('error', () => resolve(false))
    holder.listen(`\0${name}`, () => resolve(true))
    // Held as long as the process lives, but no reason for it to live.
    holder.unref()
  })
}
