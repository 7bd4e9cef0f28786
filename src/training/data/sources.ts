/** Where datasets are published. */

/** An archive of a dataset, and what is known of it. */
export interface Source {
  readonly name: string;
  /** A gzipped tar file. */
  readonly url: string;
  /** Folders around the files in the archive that are left out. */
  readonly strip: number;
  /** Length and SHA-256 of the archive, where they are published. GitHub makes its archives anew and publishes neither. */
  readonly bytes?: number;
  readonly sha256?: string;
  readonly licence: string;
  readonly attribution: string;
}

export const SOURCES = {
  fsdd: {
    name: 'fsdd',
    url: 'https://github.com/Jakobovski/free-spoken-digit-dataset/archive/26eb9aaf76e81b692f806f9140c2d2777410d7a1.tar.gz',
    strip: 1,
    licence: 'CC BY-SA 4.0',
    attribution: 'Z. Jackson and contributors, Free Spoken Digit Dataset, DOI 10.5281/zenodo.1342401',
  },
  'speech-commands': {
    name: 'speech-commands',
    url: 'https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v0.02.tar.gz',
    strip: 0,
    // The length as in TensorFlow Datasets, the sum as in torchaudio and there.
    bytes: 2_428_923_189,
    sha256: 'af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58',
    licence: 'CC BY 4.0',
    attribution:
      'P. Warden, Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition, arXiv:1804.03209',
  },
  'esc-50': {
    name: 'esc-50',
    url: 'https://github.com/karolpiczak/ESC-50/archive/refs/heads/master.tar.gz',
    strip: 1,
    licence: 'CC BY-NC 3.0; the clips of ESC-10 CC BY 3.0',
    attribution:
      'K. J. Piczak, ESC: Dataset for Environmental Sound Classification, DOI 10.1145/2733373.2806390',
  },
} as const satisfies Readonly<Record<string, Source>>;
