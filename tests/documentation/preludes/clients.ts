import { profile as authProfile } from '@blog-platform/auth-contract'

export const profile = authProfile
export declare function accessToken(): Promise<string>
