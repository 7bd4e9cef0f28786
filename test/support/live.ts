/** The live model that ships. */
import { join } from 'node:path';
import { repository } from './shared.js';

export const liveModelFile = join(repository, 'weights/commands-live.safetensors');
