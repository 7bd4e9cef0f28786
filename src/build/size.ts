/** npm run size: gzipped bytes of what a browser loads; test/build/size.test.ts holds them to their limits. */
import { ENTRIES, kilobytes, sizeOf } from './measure.js';

for (const entry of ENTRIES) {
  const { files, minified, gzipped } = await sizeOf(entry);
  const most = entry.most === undefined ? '' : `, at most ${kilobytes(entry.most)}`;
  console.log(
    `${entry.name.padEnd(20)} ${kilobytes(gzipped).padStart(8)} gzipped, ${kilobytes(minified)} minified, ${files} files${most}`,
  );
  if (entry.most !== undefined && gzipped > entry.most) {
    console.error(`${entry.name}: more than ${kilobytes(entry.most)}`);
    process.exitCode = 1;
  }
}
