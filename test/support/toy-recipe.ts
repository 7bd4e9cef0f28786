/** The toy workload as a recipe, for tests of `acom train`. */
import { fileURLToPath } from 'node:url';
import type { Recipe } from '../../src/training/recipes/index.js';
import { train } from '../../src/training/run/index.js';

export const recipe: Recipe = {
  name: 'toy',
  summary: 'a small regression',
  async run({ data, report, resume, steps = 30, ...options }) {
    report({ kind: 'note', text: `data from ${data}` });
    const slow = data === 'slow' ? 50 : 0;
    const module = fileURLToPath(new URL('./toy-workload.js', import.meta.url));
    const { aborted, step, best } = await train({
      ...options,
      workload: { module, options: { slow } },
      resume,
      steps,
      validateEvery: 10,
      schedule: { kind: 'constant', rate: 0.01 },
      onProgress: report,
    });
    return { aborted, lines: [`${step} steps, best score ${best?.score.toFixed(3)}`] };
  },
};
