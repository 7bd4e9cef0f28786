/** Waits until the process is asked to end by SIGTERM or SIGINT. The same signal a second time ends it at once. */
export const untilAskedToEnd = (): Promise<void> =>
  new Promise((done) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => done());
  });
