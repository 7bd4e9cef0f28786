/** What all bundles have in common: the one file that imports esbuild. */
import { type BuildOptions, type BuildResult, build as bundle } from 'esbuild';

export type { BuildOptions } from 'esbuild';

/** An ES module with everything inside but the optional packages. */
export const build = (options: BuildOptions): Promise<BuildResult> =>
  bundle({
    bundle: true,
    format: 'esm',
    target: 'es2022',
    external: [
      '@wasm-audio-decoders/flac',
      '@wasm-audio-decoders/ogg-vorbis',
      'mpg123-decoder',
      'ogg-opus-decoder',
    ],
    logLevel: 'warning',
    metafile: true,
    ...options,
  });
