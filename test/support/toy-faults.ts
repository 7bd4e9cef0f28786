/** The toy workload with a training item that has no number for a target. */
import type { CreateWorkload } from '../../src/training/run/index.js';
import { createWorkload as toy } from './toy-workload.js';

export const createWorkload: CreateWorkload = (options) => toy({ ...(options as object), badItem: 4 });
