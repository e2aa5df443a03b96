/**
 * Imports go one way. Each room lists what it may import; everything else is refused.
 * ARCHITECTURE.md draws the same picture.
 */
const rooms = {
  core: [],
  hashing: ['core'],
  keyring: ['core', 'folders'],
  store: ['core'],
  log: ['core', 'store/(contract|keys)'],
  index: ['core', 'log'],
  oidc: ['core'],
  registry: ['core', 'log', 'hashing', 'store/(contract|keys)'],
  server: [
    'core',
    'registry',
    'index',
    'log',
    'keyring',
    'oidc',
    'hashing',
    'store/(contract|keys)',
  ],
  client: ['core'],
  browser: ['core', 'client'],
  transfer: ['core', 'client', 'hashing', 'folders', 'whole-file'],
  scrub: ['core', 'client', 'hashing', 'log', 'registry', 'transfer', 'store/(contract|keys)'],
  operator: ['core', 'folders', 'keyring', 'log', 'store/(contract|keys)', 'registry', 'scrub'],
};

const only = Object.entries(rooms).map(([room, allowed]) => ({
  name: `${room}-imports`,
  comment: `src/${room} may import ${[room, ...allowed].join(', ')} and libraries`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: [room, ...allowed].map((name) => `^src/${name}(?:/|\\.ts$|$)`) },
}));

module.exports = {
  forbidden: [
    ...only,
    {
      name: 'core-is-pure',
      comment: 'src/core runs in browsers too: no module of Node',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'client-is-fetch-only',
      comment: 'src/client runs in browsers too: no module of Node',
      severity: 'error',
      from: { path: '^src/client/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'browser-is-no-node',
      comment: 'src/browser runs in browsers alone: no module of Node',
      severity: 'error',
      from: { path: '^src/browser/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'core-libraries',
      comment: 'What the core may take from elsewhere',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { path: 'node_modules', pathNot: 'node_modules/(tweetnacl|valibot)/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-dev-dependencies',
      comment: 'What the package runs must be a dependency of it',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
    {
      name: 'concrete-stores',
      comment: 'A store is chosen and put together at the top alone',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(store/|(open-store|main)\\.ts$)' },
      to: { path: '^src/store/(?!contract|keys)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.json'] },
  },
};
