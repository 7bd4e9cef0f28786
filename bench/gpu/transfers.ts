/** What it costs to bring numbers to the device and back. */
import type { Gpu } from '../../kernels/gpu/index.js';
import { IDENTITY } from '../../kernels/gpu/sources.js';
import { sample } from '../sample.js';
import type { Summary } from '../statistics.js';
import { TRANSFERS } from './selection.js';

export interface Transfer {
  readonly numbers: number;
  /** Until one of the numbers, read back, says that they are there. */
  readonly upload: Summary;
  /** Of all of them. */
  readonly readback: Summary;
}

/** The first is a single number: what a launch and a readback cost at least. */
export async function timeTransfers({ device, mode }: Gpu, budget: number): Promise<Transfer[]> {
  const transfers: Transfer[] = [];
  for (const numbers of [1, ...TRANSFERS]) {
    const data = Float32Array.from({ length: numbers }, (_, i) => i % 1000);
    const upload = await sample(async () => {
      const array = await device.upload(data);
      const one = await device.launch(IDENTITY, {}, [1], [array], 'one number');
      await device.read(one);
      device.release(one);
      device.release(array);
    }, budget);
    const array = await device.upload(data);
    const back = await device.read(array);
    if (back.length < numbers || back[numbers - 1] !== data[numbers - 1]) {
      throw new Error(`${mode}: ${numbers} numbers do not come back as they were`);
    }
    const readback = await sample(() => device.read(array), budget);
    device.release(array);
    transfers.push({ numbers, upload, readback });
  }
  return transfers;
}
