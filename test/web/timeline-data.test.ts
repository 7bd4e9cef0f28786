/** What the timeline draws, before it is drawn. */
import t from 'tap';
import { Peaks } from '../../src/web/peaks.js';
import { TimelineData } from '../../src/web/timeline-data.js';
import { noise } from '../support/commands.js';

t.test('peaks are the extremes of each bucket, however samples are cut', async (t) => {
  const samples = noise(10_000, 3);
  for (const bucket of [160, 882.5, 0.4]) {
    const whole = new Peaks(bucket).push(samples);
    const peaks = new Peaks(bucket);
    const pieces: number[] = [];
    for (let at = 0; at < samples.length; at += 77) pieces.push(...peaks.push(samples.subarray(at, at + 77)));
    t.same(pieces, [...whole], `buckets of ${bucket}, in pieces`);
    if (bucket < 1) {
      t.equal(whole.length, 2 * samples.length, 'no bucket is shorter than a sample');
      continue;
    }
    t.equal(whole.length, 2 * Math.floor(samples.length / bucket));
    for (const i of [0, 1, whole.length / 2 - 1]) {
      const own = samples.subarray(Math.round(i * bucket), Math.round((i + 1) * bucket));
      t.equal(whole[2 * i], Math.min(...own), `lowest of bucket ${i}`);
      t.equal(whole[2 * i + 1], Math.max(...own), `highest of bucket ${i}`);
    }
  }
});

t.test('vectors, packets and what is said of them', async (t) => {
  const data = new TimelineData({ rows: 2, codewords: 256, secondsPerVector: 0.32, packetVectors: 2 });
  t.equal(data.vectors, 0);
  data.addPeaks(new Float32Array(2 * 16 + 2));
  t.equal(data.vectors, 2, 'the vector that is being heard has its place');
  data.addCodes(Int32Array.of(1, 2, 3, 4));
  data.addPacket(9);
  data.addCodes(Int32Array.of(5, 6));
  t.same(
    data.codes.map((codes) => [...codes]),
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
  );
  t.equal(data.describe(1), '0.32 to 0.64 s: codewords 3, 4 of 256 each, packet 1 of 9 bytes');
  t.match(data.describe(2), /codewords 5, 6 of 256 each, not sent yet/);
  t.match(data.describe(3), /not coded yet/);
  data.addPacket(5);
  t.same(data.packets[1], { from: 2, to: 3, bytes: 5 }, 'the last packet has what is left');
  data.addPacket(4);
  t.same(data.packets[2], { from: 4, to: 3, bytes: 4 }, 'or nothing');
});
