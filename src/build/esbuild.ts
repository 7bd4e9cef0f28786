/** What all bundles have in common: the one file that imports esbuild. */
import { readFileSync } from 'node:fs';
import { type BuildOptions, type BuildResult, build as bundle, context } from 'esbuild';

export type { BuildOptions } from 'esbuild';

const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly peerDependencies: Readonly<Record<string, string>>;
};

/** Packages that are imported when they are first needed, and may be missing. */
const optionalPackages = Object.keys(peerDependencies);

/** An ES module with everything inside but the optional packages. */
export const build = (options: BuildOptions): Promise<BuildResult> =>
  bundle({
    bundle: true,
    format: 'esm',
    target: 'es2022',
    external: optionalPackages,
    logLevel: 'warning',
    metafile: true,
    ...options,
  });

/** Serves a folder on a local port, and gives its address. */
export async function serve(folder: string): Promise<string> {
  const server = await context({});
  const { port } = await server.serve({ servedir: folder, host: '127.0.0.1' });
  return `http://127.0.0.1:${port}/`;
}
