import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createRequire, isBuiltin } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'

/**
 * Stay outside: argon2, which is native code; pg-native, which pg uses if it is there; Fastify's compilers of JSON Schemas, which it loads
 * if a route without a contract declares any.
 */
const INSTALLED = ['@node-rs/argon2', 'pg-native', '@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler']

/** Libraries in CommonJS call `require` for what belongs to Node. */
const BANNER = "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);"

/**
 * Compiles a program to `main.js` in `folder`, which is emptied. What is imported only when it is needed, such as the client for Redis,
 * becomes a file of its own beside it.
 *
 * @param entry the path of its `main.ts`
 */
export async function bundle(entry: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  const { outputFiles } = await build({
    entryPoints: { main: entry },
    outdir: folder,
    ...{ bundle: true, splitting: true, platform: 'node', format: 'esm', target: 'node24', sourcemap: true },
    // V8 keeps the text in memory. Names stay, as stack traces show them.
    ...{ minifyWhitespace: true, minifySyntax: true },
    // Names of classes are names of errors.
    keepNames: true,
    external: INSTALLED,
    banner: { js: BANNER },
    plugins: [NAMED],
    logLevel: 'warning',
    write: false,
  })
  const texts = outputFiles.map(({ path, text }) => ({ path, text: withQuickNames(text) }))
  if (texts.every(({ text }, i) => text === outputFiles[i]?.text))
    throw new Error('esbuild names functions differently now')
  await mkdir(folder, { recursive: true })
  for (const { path, text } of texts) await writeFile(path, text)
}

/**
 * For `keepNames`, esbuild defines a name of each function, each time that it is created, hence in every request. Only what had to be
 * renamed needs that, and only classes: their names are names of errors.
 */
function withQuickNames(text: string): string {
  return text.replace(
    '__name=(target,value)=>__defProp(',
    '__name=(target,value)=>target.name===value||target.prototype===void 0?target:__defProp(',
  )
}

/**
 * `import()` of a package in CommonJS gives its names, as in Node: esbuild gives only `default` when it puts the package into a file of
 * its own. So a module that names them stands in between.
 */
const NAMED: Plugin = {
  name: 'named',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[^./#]/ }, ({ kind, path, importer, resolveDir }) => {
      const isOurs = kind === 'dynamic-import' && !importer.includes('/node_modules/')
      if (!isOurs || isBuiltin(path) || INSTALLED.includes(path)) return undefined
      return { path, namespace: 'named', pluginData: resolveDir }
    })
    onLoad({ filter: /.*/, namespace: 'named' }, async ({ path, pluginData: resolveDir }) => {
      const file = createRequire(join(resolveDir, 'from.js')).resolve(path)
      const names = Object.keys(await import(pathToFileURL(file).href)).filter(name => /^[\w$]+$/.test(name))
      return { contents: `export { ${names.join(', ')} } from ${JSON.stringify(path)}`, resolveDir }
    })
  },
}
