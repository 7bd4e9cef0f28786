/**
 * Every error that acom throws on purpose. `code` is stable and meant for programs; the message names what
 * failed, where (operation, shapes, byte offset) and what to do about it, and is meant for people.
 */
export class AcomError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The memory of the kernels is full, or was given away. */
export class KernelMemoryError extends AcomError {
  constructor(message: string) {
    super('ACOM_KERNEL_MEMORY', `kernel memory: ${message}`);
  }
}

/** Kernels that can't be had as they were asked for. */
export class KernelError extends AcomError {
  constructor(message: string) {
    super('ACOM_KERNEL', message);
  }
}

/** A GPU, or GPU.js in one of its modes, that can't be had or was lost. */
export class GpuError extends AcomError {
  constructor(message: string, options?: ErrorOptions) {
    super('ACOM_GPU', `gpu: ${message}`, options);
  }
}
