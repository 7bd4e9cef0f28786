/** What a browser loads of each half stays under its limit. */
import t from 'tap';
import { ENTRIES, kilobytes, sizeOf } from '../../src/build/measure.js';

for (const entry of ENTRIES) {
  t.test(entry.name, async (t) => {
    const { gzipped } = await sizeOf(entry);
    // Less than this is no half at all: the measurement missed files.
    t.ok(gzipped > 40_000, kilobytes(gzipped));
    if (entry.most !== undefined) {
      t.ok(gzipped <= entry.most, `${kilobytes(gzipped)}, at most ${kilobytes(entry.most)}`);
    }
  });
}
