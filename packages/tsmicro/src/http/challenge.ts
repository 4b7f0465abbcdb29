/**
 * The value of `www-authenticate` (RFC 6750, 3): whoever showed a token is told that it is not good, whoever showed none only that
 * one is wanted.
 */
export function challengeOf(authorization: string | undefined, realm = 'api'): string {
  const challenge = `Bearer realm="${realm.replaceAll(/[^\x20-\x7e]|["\\]/g, '')}"`
  return authorization !== undefined && /^bearer\b/i.test(authorization)
    ? `${challenge}, error="invalid_token"`
    : challenge
}
