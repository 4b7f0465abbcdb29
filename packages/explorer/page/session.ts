/** What one person at the page has: the way in, and with what they call. It lives as long as the tab. */
interface Session {
  /** What the explorer's server asks for; it came in the address. */
  readonly explorer: string
  readonly apiKey: string
  readonly token: string
  /** Who signed in, as they said it. */
  readonly who: string
}

const KEY = 'tsmicro-explorer'
const NOBODY = { apiKey: '', token: '', who: '' }

let session: Session = read()

// Somebody has pasted the address of another start into this tab.
window.addEventListener('hashchange', () => {
  if (tokenGiven() !== null) location.reload()
})

function tokenGiven(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get('token')
}

/** Takes the explorer's token out of the address, so that it is neither in the history nor in what somebody copies. */
function read(): Session {
  const given = tokenGiven()
  const kept: Session = { explorer: '', ...NOBODY, ...JSON.parse(sessionStorage.getItem(KEY) ?? '{}') }
  if (given === null) return kept
  history.replaceState(null, '', location.pathname)
  // With another token it is another start of the system.
  const next = given === kept.explorer ? kept : { ...NOBODY, explorer: given }
  sessionStorage.setItem(KEY, JSON.stringify(next))
  return next
}

const listeners: (() => void)[] = []

export const currentSession = (): Session => session

export function changeSession(change: Partial<Session>): void {
  session = { ...session, ...change }
  sessionStorage.setItem(KEY, JSON.stringify(session))
  for (const listener of listeners) listener()
}

export const signOut = (): void => changeSession(NOBODY)

export function onSession(listener: () => void): void {
  listeners.push(listener)
}
