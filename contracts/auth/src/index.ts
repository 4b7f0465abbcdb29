export {
  ApiKey,
  ApiKeyPermission,
  ApiKeyVerification,
  apiKeyAdministration,
  apiKeyVerification,
  CreatedApiKey,
  NewApiKey,
} from './api-key.ts'
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
export { apiKeyEvents, sessionEvents, userEvents } from './events.ts'
export { RoleName, roles } from './roles.ts'
export { SignedIn, SignIn, SignUp, session, Tokens } from './session.ts'
export { JsonWebKeySet, signingKeys } from './signing-keys.ts'
export {
  administration,
  Email,
  PrivateProfile,
  ProfileChange,
  PublicProfile,
  profile,
  SignedInUser,
  UserName,
} from './user.ts'
export { AccessChanges, AccessPosition, GrantedAccess, TokenUser, validation } from './validation.ts'
