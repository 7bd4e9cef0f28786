/**
 * node dist/bench/keywords.js: ARM's keyword networks, loaded without a framework, on every clip of the shared folder:
 * accuracy over all classes and over the keywords alone, and how long front end and network take for one second.
 */
import { Mfcc } from '../src/audio/index.js';
import { keywordCnnKind } from '../src/nn/index.js';
import {
  ARM_NETWORKS,
  classOf,
  featuresOf,
  halvesOf,
  keywordUtterances,
  loadArmNetwork,
  readUtterance,
} from '../test/support/keywords.js';

/** Milliseconds so far, and how often. */
class Clock {
  private spent = 0;
  private count = 0;

  time<R>(work: () => R): R {
    const start = performance.now();
    const result = work();
    this.spent += performance.now() - start;
    this.count++;
    return result;
  }

  get mean(): string {
    return `${(this.spent / this.count).toFixed(2)} ms`;
  }
}

/** k of n with the 95 % interval of Wilson. */
function share(k: number, n: number): string {
  const z = 1.96;
  const p = k / n;
  const middle = (p + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((p * (1 - p)) / n + z ** 2 / (4 * n ** 2));
  const percent = (x: number) => (100 * x).toFixed(1);
  return `${percent(p)} % (${percent(middle - half)} to ${percent(middle + half)})`;
}

const networks = ARM_NETWORKS.map((name) => {
  const network = loadArmNetwork(name);
  const { layers } = network.config;
  return {
    name,
    network,
    mfcc: new Mfcc(network.frontEnd),
    halves: halvesOf(network, layers.length),
    right: 0,
    rightKeywords: 0,
    frontEnd: new Clock(),
    forward: new Clock(),
  };
});

const utterances = keywordUtterances();
let keywords = 0;
for (const { file, label } of utterances) {
  const samples = await readUtterance(file);
  const keyword = !label.startsWith('_');
  if (keyword) keywords++;
  for (const each of networks) {
    const { mfcc, halves, frontEnd, forward, network } = each;
    const features = frontEnd.time(() => featuresOf(mfcc, samples));
    const scores = forward.time(() => halves.suffix.forward(halves.prefix.forward(features)));
    if (network.labels[classOf(scores)] !== label) continue;
    each.right++;
    if (keyword) each.rightKeywords++;
  }
}
for (const { name, network, right, rightKeywords, frontEnd, forward } of networks) {
  const { device, cloud } = keywordCnnKind.macs(network.config, 0, network.config.frames);
  console.log(
    `${name}: ${share(right, utterances.length)} of ${utterances.length} clips, ${network.labels.length} classes; ` +
      `${share(rightKeywords, keywords)} of ${keywords} keywords; ${((device + cloud) / 1e6).toFixed(2)} million MACs; ` +
      `MFCC ${frontEnd.mean}, network ${forward.mean} a second of sound`,
  );
}
