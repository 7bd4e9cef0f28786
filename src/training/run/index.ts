/** The trainer, for Node: worker threads, checkpoints, progress. */
export { readTrained, type Standing, type Trained, type ValidationRecord } from './checkpoint-file.js';
export { durationText, lineReporter, standingText, validationText } from './describe-progress.js';
export type { WorkloadSource } from './load-workload.js';
export type {
  CheckpointProgress,
  ResumedProgress,
  StepProgress,
  TrainingProgress,
  ValidationProgress,
} from './progress.js';
export type { TrainOptions } from './settings.js';
export { type TrainResult, train } from './trainer.js';
export type { BatchLoss, CreateWorkload, TrainingState, Workload } from './workload.js';
