/** Counts what is run in the code that reads streams: a hook of Node's loader, by istanbul's counters. */
import type { LoadHook } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createInstrumenter } from 'istanbul-lib-instrument';

/**
 * The reader of files, the entropy coders, and what puts them together; not live packets, which a test of their own damages, and not
 * the checksums' loops, which are most of the time and all alike.
 */
const COUNTED =
  /\/dist\/src\/((bitstream|entropy)\/(?!(crc|live)\.)[^/]+|codec\/(stream-coder|codings))\.js$/;

const instrumenter = createInstrumenter({ esModules: true, compact: true });

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  if (!COUNTED.test(url)) return loaded;
  const source = Buffer.from(loaded.source as Uint8Array).toString('utf8');
  return { ...loaded, source: instrumenter.instrumentSync(source, fileURLToPath(url)) };
};
