/** An operator who answers that a commitment is logged, and has not logged it. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type GatedHome, makeGatedHome } from '../cli/gated-home.ts';
import { LyingProxy } from '../made/lying-proxy.ts';

let home: GatedHome;
let operator: LyingProxy;

beforeAll(async () => {
  home = await makeGatedHome();
  operator = await LyingProxy.start(home.env.WEIGHHOUSE_URL!);
  home.env.WEIGHHOUSE_URL = operator.url;
}, 30_000);
afterEach(() => {
  operator.lie = () => undefined;
});
afterAll(async () => {
  await operator.close();
  await home.remove();
});

test.each([
  ['of something else', 1],
  ['that the log does not have', 999],
])(
  'a receipt for an entry %s is no receipt: not recorded, and nothing was told',
  async (_, index) => {
    const { reference, digest } = await home.push();
    const approve = ['approve', reference, '--digest', digest];
    operator.lie = ({ method, path }) =>
      method === 'POST' && path === '/api/v1/commitments' ? Promise.resolve({ index }) : undefined;
    operator.requests.length = 0;
    const { status, stderr } = await home.run(...approve);
    expect(status).toBe(12);
    expect(stderr).toContain(
      `not recorded: the registry says that entry ${index} of its log is the commitment, but the log does not hold it there; ask its operator, and keep the receipt (the receipt is kept; "weighhouse decide --resume" goes on)`,
    );
    expect(operator.requests.filter((request) => /^POST .*decisions$/.test(request))).toEqual([]);

    operator.lie = () => undefined;
    await home.json('decide', '--resume');
    expect((await home.json('status', reference)).missing).toMatchObject([{ need: 'intent' }]);
  },
);
