import type { Check } from './check.ts'
import { filesOf, isTest, sourcesOf, textOf } from './workspace.ts'

const LONGEST = 300
const MEDIAN = 120

type Rule = { readonly what: string; readonly pattern: RegExp }

// Patterns that want something after the prefix, so that code which only names the prefix is not taken for a secret.
const FORBIDDEN: readonly Rule[] = [
  { what: 'a private key', pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----(\\n|\s)*[A-Za-z0-9+/=]{20}/ },
  {
    what: 'an access token',
    pattern: /\b(gh[pousr]_[A-Za-z0-9]{30}|npm_[A-Za-z0-9]{30}|AKIA[0-9A-Z]{16}|xox[bp]-[0-9A-Za-z-]{20})/,
  },
  { what: 'a registry login', pattern: /_(authToken|password|auth)\s*=\s*[^\s'"`$]{8}/ },
  { what: 'a path of one machine', pattern: /(?<![\w.\-}])\/(work|root|Users|home(?!\/node\b))\/[\w.-]+/ },
  {
    what: 'an address of a package registry',
    pattern: /\bregistry\.(npmjs|yarnpkg)\.\w+|https?:\/\/[^\s/'"`]*(registry|artifactory|npm-proxy|nexus)[^\s/'"`]*/i,
  },
]

export const files: Check = {
  name: 'files',
  promise: `no secret, machine path or registry address in any file; sources up to ${LONGEST} lines, their median under ${MEDIAN}`,
  run: root => {
    const paths = filesOf(root)
    const sizes = sourcesOf(root).map(path => ({ path, lines: textOf(root, path).split('\n').length - 1 }))
    const median = medianOf(sizes.filter(({ path }) => !isTest(path)).map(({ lines }) => lines))
    const problems = [
      ...paths.flatMap(path => contentProblems(path, textOf(root, path))),
      ...sizes
        .filter(({ lines }) => lines > LONGEST)
        .map(({ path, lines }) => `${path} has ${lines} lines: one thing per file, at most ${LONGEST}`),
      ...(median < MEDIAN ? [] : [`the median source file has ${median} lines: it should be under ${MEDIAN}`]),
    ]
    return { problems, note: `${paths.length} files, median source ${median} lines` }
  },
}

function contentProblems(path: string, text: string): string[] {
  const rules = [...FORBIDDEN, ...configuredRegistry()]
  return rules.flatMap(({ what, pattern }) => {
    const found = pattern.exec(text)
    // The place and not the content: the check's output may end up in a public log.
    return found ? [`${path}:${text.slice(0, found.index).split('\n').length} holds ${what}`] : []
  })
}

/** npm tells its scripts which registry it uses: that host must not be in any file. */
function configuredRegistry(): Rule[] {
  const address = process.env.npm_config_registry
  const host = address && URL.canParse(address) ? new URL(address).hostname : ''
  const local = host === '' || host === 'localhost' || /^[\d.[]/.test(host)
  return local ? [] : [{ what: "this machine's registry host", pattern: new RegExp(host.replaceAll('.', '\\.'), 'i') }]
}

function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}
