/** MAC counts against the intercepted counts of SpeechBrain's own modules (facts/speechbrain.md, section 4). */
import t from 'tap';
import { type ConformerCtcConfig, conformerMacs, encoderLayerMacs } from '../../src/nn/index.js';

const model = (width: number, heads: number, feedForward: number, layers: number): ConformerCtcConfig => ({
  type: 'speechbrain-conformer-ctc',
  frontEnd: { mels: 80, channels: [64, 32], kernelSizes: [3, 3], strides: [2, 2] },
  encoder: { width, heads, layers, feedForward, depthwiseTaps: 31 },
  classes: 5000,
  head: '3',
});
const small = model(144, 4, 1024, 12);
const ctc = model(256, 4, 1024, 18);
const large = model(512, 8, 2048, 12);

/** Feature frames of 1 s and of 10 s at 100 frames a second. */
const [ONE, TEN] = [101, 1001];
const inMillions = (n: number) => Number((n / 1e6).toFixed(3));

t.test('front end, linear and layer, in millions', async (t) => {
  const rows: [string, ConformerCtcConfig, number, number, number, number][] = [
    ['small 1 s', small, ONE, 10.76, 2.396, 20.669],
    ['small 10 s', small, TEN, 104.072, 23.132, 232.241],
    ['CTC d256 1 s', ctc, ONE, 10.76, 4.26, 43.425],
    ['CTC d256 10 s', ctc, TEN, 104.072, 41.124, 477.614],
    ['large 1 s', large, ONE, 10.76, 8.52, 171.915],
    ['large 10 s', large, TEN, 104.072, 82.248, 1777.573],
  ];
  for (const [name, config, features, frontEnd, input, layer] of rows) {
    const macs = conformerMacs(config, features, 4);
    t.equal(inMillions(macs.frontEnd), frontEnd, `${name}: front end`);
    t.equal(inMillions(macs.input), input, `${name}: linear`);
    t.equal(inMillions(macs.layer), layer, `${name}: layer`);
  }
});

t.test('a layer with rotary positions, in millions', async (t) => {
  const rotary = { ...large.encoder, positions: 'rotary' } as const;
  t.equal(inMillions(encoderLayerMacs(rotary, 26)), 157.867, '1 s');
  t.equal(inMillions(encoderLayerMacs(rotary, 251)), 1581.854, '10 s');
  const relative = { ...large.encoder, positions: 'relative' } as const;
  t.equal(
    encoderLayerMacs(relative, 26),
    encoderLayerMacs(large.encoder, 26),
    'relative where it is left out',
  );
});

t.test('both halves by split layer, in thousand millions', async (t) => {
  const table: [number, number, number, number, number][] = [
    [1, 0.0338, 0.3594, 0.1912, 1.9639],
    [2, 0.0545, 0.5917, 0.3631, 3.7415],
    [3, 0.0752, 0.8239, 0.535, 5.519],
    [4, 0.0958, 1.0562, 0.7069, 7.2966],
    [5, 0.1165, 1.2884, 0.8789, 9.0742],
    [6, 0.1372, 1.5206, 1.0508, 10.8518],
    [7, 0.1578, 1.7529, 1.2227, 12.6293],
    [8, 0.1785, 1.9851, 1.3946, 14.4069],
    [9, 0.1992, 2.2174, 1.5665, 16.1845],
    [10, 0.2198, 2.4496, 1.7384, 17.962],
    [11, 0.2405, 2.6819, 1.9103, 19.7396],
    [12, 0.2612, 2.9141, 2.0823, 21.5172],
  ];
  const inBillions = (n: number) => Number((n / 1e9).toFixed(4));
  for (const [split, small1, small10, large1, large10] of table) {
    t.equal(inBillions(conformerMacs(small, ONE, split).device), small1, `small 1 s, ${split}`);
    t.equal(inBillions(conformerMacs(small, TEN, split).device), small10, `small 10 s, ${split}`);
    t.equal(inBillions(conformerMacs(large, ONE, split).device), large1, `large 1 s, ${split}`);
    t.equal(inBillions(conformerMacs(large, TEN, split).device), large10, `large 10 s, ${split}`);
  }
  // What the table has beyond the split, and the head: frames x width x classes.
  const cloud = (all: number, device: number, head: number) => all - device + head / 1e9;
  const [, allSmall1, allSmall10, allLarge1, allLarge10] = table[11]!;
  for (const [split, small1, small10, large1, large10] of table) {
    for (const [config, features, expected] of [
      [small, ONE, cloud(allSmall1, small1, 26 * 144 * 5000)],
      [small, TEN, cloud(allSmall10, small10, 251 * 144 * 5000)],
      [large, ONE, cloud(allLarge1, large1, 26 * 512 * 5000)],
      [large, TEN, cloud(allLarge10, large10, 251 * 512 * 5000)],
    ] as const) {
      const got = conformerMacs(config, features, split).cloud / 1e9;
      t.ok(Math.abs(got - expected) < 1.1e-4, `cloud, ${split}: ${got}, by the table ${expected}`);
    }
  }
});
