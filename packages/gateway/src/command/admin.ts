import { type TokenFile, writeTokenFile } from '../admin/token.ts'
import { type CommandLine, UsageError } from './arguments.ts'

/** What `startGateway` needs for the admin API; nothing where there is none. */
export interface AdminSettings extends AsyncDisposable {
  readonly options: { readonly adminPort?: number; readonly adminToken?: string }
}

/** The admin API's port and token: from the environment, or a new one in a file. Never from the command line, which everybody can read. */
export async function adminSettings(
  { adminPort, adminTokenFile }: CommandLine,
  env: NodeJS.ProcessEnv,
): Promise<AdminSettings> {
  if (adminPort === undefined) return { options: {}, [Symbol.asyncDispose]: async () => {} }
  const given = env.GATEWAY_ADMIN_TOKEN
  if (!given === (adminTokenFile === undefined))
    throw new UsageError(
      given
        ? 'there is GATEWAY_ADMIN_TOKEN already: leave --admin-token-file out'
        : '--admin-port needs --admin-token-file FILE, or GATEWAY_ADMIN_TOKEN in the environment',
    )
  if (given) return { options: { adminPort, adminToken: given }, [Symbol.asyncDispose]: async () => {} }
  const file: TokenFile = await writeTokenFile(adminTokenFile ?? '')
  return { options: { adminPort, adminToken: file.token }, [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() }
}
