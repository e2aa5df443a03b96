/**
 * One runner for every kind of test. `npm test` runs all of them but the lanes that
 * need programs from outside (test/peers), which `.ci/run` and `npm run test:peers` start. Files
 * right in test/browser drive a real browser; its folders mirror src/browser and need none.
 */
const lanes = {
  unit: [
    '<rootDir>/test/*.test.ts',
    '<rootDir>/test/(core|hashing|store|log|registry|index|oidc|server|client|cli)/**/*.test.ts',
    '<rootDir>/test/browser/*/**/*.test.ts',
  ],
  s3: ['<rootDir>/test/s3/**/*.test.ts'],
  peers: ['<rootDir>/test/peers/**/*.test.ts'],
  browser: ['<rootDir>/test/browser/*.test.ts'],
  cluster: ['<rootDir>/test/cluster/**/*.test.ts'],
  all: [
    '<rootDir>/test/*.test.ts',
    '<rootDir>/test/!(peers|s3|cluster|browser)/**/*.test.ts',
    '<rootDir>/test/browser/*/**/*.test.ts',
  ],
};

export default {
  testEnvironment: 'node',
  // Jest leaves a core idle by itself; of two that is half the machine.
  maxWorkers: '100%',
  // Against what hangs, and no measure of anything: machines that run this are busy at times.
  testTimeout: 60_000,
  testMatch: lanes[process.env.WEIGHHOUSE_TEST_LANE ?? 'all'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2024', parser: { syntax: 'typescript' } } }],
  },
  // tweetnacl is an order of magnitude slower on the sandbox's own copies of these.
  sandboxInjectedGlobals: ['Math', 'Float64Array', 'Uint8Array'],
  setupFilesAfterEnv: ['<rootDir>/test/setup.ts'],
};
