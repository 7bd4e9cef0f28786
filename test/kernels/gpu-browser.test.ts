/** GPU variants against float64 in Chromium, on WebGL 2 and WebGPU. */
import t from 'tap';
import { noChromium } from '../support/chromium.js';
import { expectAgreement } from '../support/gpu-expect.js';
import { gpuRunsInChromium } from '../support/gpu-places.js';

t.test('some sizes of every operation', { skip: noChromium }, async (t) => {
  const { runs } = await gpuRunsInChromium(['webgl2', 'webgpu'], { sizes: 4, inTurn: true });
  for (const [mode, found] of runs) {
    t.test(mode, async (t) => expectAgreement(t, found));
  }
  t.equal(runs.size, 2);
});
