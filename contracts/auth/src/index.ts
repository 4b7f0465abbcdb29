export { administration } from './administration.ts'
export { apiKeyVerification } from './api-key.ts'
export { ApiKey, apiKeyAdministration, CreatedApiKey, NewApiKey } from './api-key-administration.ts'
export { ApiKeyPermission } from './api-key-permission.ts'
export {
  API_KEY_INVALID,
  API_KEY_NOT_FOUND,
  CREDENTIALS_INVALID,
  EMAIL_TAKEN,
  LAST_ADMIN,
  LAST_API_KEY,
  REFRESH_TOKEN_INVALID,
  TOKEN_INVALID,
  USER_NOT_FOUND,
} from './errors.ts'
export { apiKeyEvents, userEvents } from './events.ts'
export { JsonWebKeySet, keys } from './keys.ts'
export { ProfileChange, profile } from './profile.ts'
export { RoleName, roles } from './roles.ts'
export { SignedIn, SignIn, SignUp, session, Tokens } from './session.ts'
export { Email, PrivateProfile, PublicProfile, SignedInUser, UserName } from './user.ts'
export { TokenUser, validation } from './validation.ts'
