/** One recording to one .acom file: the work of `acom encode`. */
import type { Coding } from '../bitstream/index.js';
import type { CodecModel, EncodeOptions } from '../codec/index.js';
import type { GpuCodecModel } from '../gpu/index.js';
import type { BackendArguments } from './backend.js';
import type { FileWork } from './file-result.js';
import { writeOutput } from './files.js';
import { feedRecording } from './recordings.js';
import { EXIT, given } from './run.js';
import { ratesLine } from './text.js';

export interface EncodeArguments extends BackendArguments {
  readonly codebooks?: number;
  readonly packet?: number;
  readonly bitRate?: number;
  readonly coding?: string;
}

/** Opens the device half. */
export async function openEncoding(
  options: EncodeArguments,
  open: () => Promise<CodecModel | GpuCodecModel>,
): Promise<FileWork> {
  const encoder = await (await open()).deviceEncoder();
  const settings: EncodeOptions = given({
    codebooks: options.codebooks,
    packetSeconds: options.packet,
    targetBitRate: options.bitRate,
    // What is none is refused with the names of those that are.
    coding: options.coding as Coding | undefined,
  });
  return async (path, output, watch) => {
    const { stream, warnings } = await feedRecording(
      path,
      (sampleRate) => encoder.stream(sampleRate, settings),
      watch,
    );
    const bytes = await stream.finish();
    await writeOutput(output, bytes);
    const rates = encoder.coder.rates(bytes);
    return { facts: { ...rates }, line: ratesLine(rates), warnings, code: EXIT.done };
  };
}
