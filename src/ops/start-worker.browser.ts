/** Starts a worker in a page. */
export function startWorker(code: string, data: unknown): void {
  const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.postMessage(data);
}

/** Shared memory goes to workers only where the page is isolated from other origins, and there are none in a worklet. */
export const defaultThreads = (): number =>
  globalThis.crossOriginIsolated === true && typeof Worker !== 'undefined'
    ? Math.min(4, navigator.hardwareConcurrency)
    : 1;
