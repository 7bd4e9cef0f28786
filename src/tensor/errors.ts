/** The errors that acom throws on purpose, by kind; see the base class. */
import { AcomError } from '../../kernels/errors.js';

export { AcomError, KernelError, KernelMemoryError } from '../../kernels/errors.js';

/** Tensors whose shapes do not fit an operation. */
export class ShapeError extends AcomError {
  constructor(message: string) {
    super('ACOM_SHAPE', message);
  }
}

/** A file or stream that is not what it should be: malformed, truncated, of an unknown version. */
export class FormatError extends AcomError {
  /** Byte at which reading stopped, where there is one. */
  readonly offset: number | undefined;

  constructor(format: string, message: string, offset?: number) {
    super('ACOM_FORMAT', `${format}: ${message}${offset === undefined ? '' : ` (at byte ${offset})`}`);
    this.offset = offset;
  }
}

/** A stream whose checksums show damage that no part of it survived. */
export class CorruptStreamError extends AcomError {
  constructor(message: string) {
    super('ACOM_CORRUPT', message);
  }
}

/** A stream made with one codec model and given to another. */
export class ModelMismatchError extends AcomError {
  constructor(message: string) {
    super('ACOM_MODEL_MISMATCH', message);
  }
}

/** A model file whose configuration or tensors do not make up a model. */
export class ModelError extends AcomError {
  constructor(message: string) {
    super('ACOM_MODEL', message);
  }
}

/** Samples that are no sound: NaN, infinities, a sample rate out of range. */
export class AudioError extends AcomError {
  constructor(message: string) {
    super('ACOM_AUDIO', message);
  }
}

/** A file that could not be opened or fetched. */
export class SourceError extends AcomError {
  constructor(
    message: string,
    cause?: unknown,
    /** Whether nothing is there, rather than something that can't be read. */
    readonly isMissing = false,
  ) {
    super('ACOM_SOURCE', message, { cause });
  }
}

/** An argument that makes no sense for the call. */
export class UsageError extends AcomError {
  constructor(message: string) {
    super('ACOM_USAGE', message);
  }
}

/** Training that can't go on: numbers that are none, a worker that ended, a checkpoint of another run. */
export class TrainingError extends AcomError {
  /** Step at which it stopped, counted from 1, where there is one. */
  readonly step: number | undefined;
  /** Some of the files of that step's batch. */
  readonly files: readonly string[];
  /** The last good checkpoint, where there is one. */
  readonly checkpoint: string | undefined;

  constructor(
    message: string,
    known: {
      readonly step?: number | undefined;
      readonly files?: readonly string[];
      readonly checkpoint?: string | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super('ACOM_TRAINING', `training: ${message}`, 'cause' in known ? { cause: known.cause } : undefined);
    this.step = known.step;
    this.files = known.files ?? [];
    this.checkpoint = known.checkpoint;
  }
}

/** An optional package that the call needs and that is not installed. */
export class MissingPackageError extends AcomError {
  /** `packageName` is a name, or several with spaces between. */
  constructor(packageName: string, purpose: string, cause: unknown) {
    const several = packageName.includes(' ');
    const named = several ? `packages ${packageName.replaceAll(' ', ' and ')}` : `package ${packageName}`;
    super('ACOM_MISSING_PACKAGE', `${purpose} needs the ${named}: npm install ${packageName}`, { cause });
  }
}

/** A program that the call runs and that this machine does not have. */
export class MissingProgramError extends AcomError {
  constructor(program: string, purpose: string, install: string, cause: unknown) {
    super('ACOM_MISSING_PROGRAM', `${purpose} needs the program ${program}: ${install}`, { cause });
  }
}

/** A message broker that can't be reached, or refuses what is asked of it. */
export class BrokerError extends AcomError {
  constructor(message: string, cause?: unknown) {
    super('ACOM_BROKER', `broker: ${message}`, { cause });
  }
}
