import { execFileSync } from 'node:child_process'

// Root looks into a checkout that it gave to another user, and CI's checkout may belong to anybody.
const TRUST = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' }

const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', env: { ...process.env, ...TRUST } })

/** A clone of the commit that is checked out in `source`, sharing no file with it. */
export function clone(source: string, target: string): void {
  git('clone', '--quiet', '--no-local', '--depth=1', `file://${source}`, target)
}

/** What differs from the commit, as git's short lines; files that `.gitignore` names do not count. */
export const changes = (checkout: string): string[] =>
  git('-C', checkout, 'status', '--porcelain')
    .split('\n')
    .filter(line => line !== '')
