/** A workload by the module that makes it: in the coordinating thread and in every worker. */
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UsageError } from '../../tensor/index.js';
import type { CreateWorkload, Workload } from './workload.js';

/** Where a workload comes from. */
export interface WorkloadSource {
  /** A module with a function `createWorkload`: a URL, or the path of a file. */
  readonly module: string | URL;
  /** What that function gets; goes through JSON. */
  readonly options?: unknown;
}

/** The URL of a module that was given as a URL or a path. */
export function moduleUrl(module: string | URL): string {
  if (module instanceof URL) return module.href;
  return /^(file|data):/.test(module) && !isAbsolute(module) ? module : pathToFileURL(resolve(module)).href;
}

/** `options` as text, as `createWorkload` will read it. */
export const optionsText = (options: unknown): string => JSON.stringify(options ?? null);

/** Makes the workload of a module; `options` is JSON. */
export async function loadWorkload(url: string, options: string): Promise<Workload> {
  const loaded = (await import(url).catch((cause: unknown) => {
    throw new UsageError(`${url}: ${cause instanceof Error ? cause.message : String(cause)}`);
  })) as { readonly createWorkload?: CreateWorkload };
  if (typeof loaded.createWorkload !== 'function') {
    throw new UsageError(`${url}: this module exports no function createWorkload`);
  }
  return loaded.createWorkload(JSON.parse(options));
}
