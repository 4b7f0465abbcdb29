import { profile as authProfile } from '@blog-platform/auth-contract'

/** @public */
export const profile = authProfile
/** @public */
export declare function accessToken(): Promise<string>
