import type { GridSize, PipelineResult } from './gpu-js.js';

/** An array on the device. */
export interface DeviceArray {
  readonly value: PipelineResult;
  readonly size: GridSize;
}

/** What a program needs of a GPU. */
export interface Device {
  upload(data: Float32Array): Promise<DeviceArray>;
  /** Runs a kernel over a grid; the result has one number for each of its points, x fastest. */
  launch(
    source: string,
    constants: Readonly<Record<string, number>>,
    size: GridSize,
    args: readonly DeviceArray[],
    name?: string,
  ): Promise<DeviceArray>;
  /** Numbers of an array on the device. */
  read(array: DeviceArray): Promise<Float32Array>;
  /** Gives the memory of an array back. */
  release(array: DeviceArray): void;
}
