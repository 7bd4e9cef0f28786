/** What is done with one file of many, in this thread or in a worker: read it, convert it, write the result whole. */
import type { CodecModel } from '../codec/index.js';
import type { GpuCodecModel } from '../gpu/index.js';
import type { DecodeArguments } from './decoding.js';
import { openDecoding } from './decoding.js';
import { type EncodeArguments, openEncoding } from './encoding.js';
import type { FileWork } from './file-result.js';

/** A command and its options, as they are sent to a worker. */
export type WorkOrder =
  | { readonly command: 'encode'; readonly options: EncodeArguments }
  | { readonly command: 'decode'; readonly options: DecodeArguments };

/** Opens the half of the model that the command needs. Throws what opening a model throws. */
export const openWork = (
  order: WorkOrder,
  open: () => Promise<CodecModel | GpuCodecModel>,
): Promise<FileWork> =>
  order.command === 'encode'
    ? openEncoding(order.options, open)
    : openDecoding(order.options, open).then(({ work }) => work);
