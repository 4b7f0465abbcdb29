/** What programs need to run at all, find their files and speak to a terminal. None of them holds a secret. */
const PASSED: ReadonlySet<string> = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'TMP', 'TEMP', 'TZ', 'LANG', 'LANGUAGE', 'LD_LIBRARY_PATH'],
  ...['TERM', 'COLORTERM', 'NO_COLOR', 'FORCE_COLOR'],
  ...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_COMPILE_CACHE', 'NODE_V8_COVERAGE'],
  // By which the test runner finds what a test left behind.
  'TSMICRO_TEST_PROCESS',
])

/**
 * The part of an environment that every child may have; more has to be given to it by name. A developer's shell is full of what
 * is nobody's business: tokens of a registry, keys of a cloud.
 * @param more names to take as well
 * @example spawn('redis-server', [], { env: { ...childEnvironment(), TZ: 'UTC' } })
 */
export function childEnvironment(
  env: NodeJS.ProcessEnv = process.env,
  more: readonly string[] = [],
): Record<string, string> {
  const wanted = ([name, value]: [string, string | undefined]) =>
    value !== undefined && (PASSED.has(name) || name.startsWith('LC_') || more.includes(name))
  return Object.fromEntries(Object.entries(env).filter(wanted)) as Record<string, string>
}
