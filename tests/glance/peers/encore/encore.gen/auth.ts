// Stands for what Encore generates as `~encore/auth`.
import type { auth } from '../sign-in.ts'

type AuthData = NonNullable<Awaited<ReturnType<typeof auth>>>

export declare function getAuthData(): AuthData | null
