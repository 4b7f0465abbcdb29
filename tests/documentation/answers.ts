import assert from 'node:assert/strict'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * Compares an answer with the one on the page. Fields and values must be the same, except that a text with `…` on the page stands for any
 * text, and a UUID for any UUID.
 */
export function assertAnswer(place: string, actual: string, expected: string): void {
  let parsed: unknown
  try {
    parsed = JSON.parse(actual)
  } catch {
    assert.fail(`${place}: the answer is not JSON: ${actual.slice(0, 500)}`)
  }
  assert.deepEqual(likeOnPage(parsed, JSON.parse(expected)), JSON.parse(expected), place)
}

/** The actual value, with the parts that the page leaves open replaced by the page's. */
function likeOnPage(actual: unknown, shown: unknown): unknown {
  if (typeof actual === 'string' && typeof shown === 'string') {
    const open = shown.includes('…') || (UUID.test(shown) && UUID.test(actual))
    return open ? shown : actual
  }
  if (Array.isArray(actual) && Array.isArray(shown))
    return actual.map((member, index) => likeOnPage(member, shown[index]))
  if (isRecord(actual) && isRecord(shown)) {
    return Object.fromEntries(Object.entries(actual).map(([key, member]) => [key, likeOnPage(member, shown[key])]))
  }
  return actual
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
