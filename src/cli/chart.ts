/**
 * Drawings of results, through the packages vega and vega-lite: optional peers that only this file imports, and only
 * when something is drawn.
 */
import type { Evaluation } from '../evaluation/index.js';
import { MissingPackageError } from '../tensor/index.js';
import { count } from './text.js';

async function loadPlotting() {
  try {
    const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
    return { parse, View, compile };
  } catch (cause) {
    throw new MissingPackageError('vega vega-lite', 'Drawing', cause);
  }
}

/** Throws MissingPackageError where nothing could be drawn. */
export async function requirePlotting(): Promise<void> {
  await loadPlotting();
}

type Specification = Parameters<Awaited<ReturnType<typeof loadPlotting>>['compile']>[0];

/** A specification of Vega-Lite as SVG. */
export async function draw(specification: Specification): Promise<string> {
  const { parse, View, compile } = await loadPlotting();
  return new View(parse(compile(specification).spec), { renderer: 'none' }).toSVG();
}

const CODED = 'every byte of every file';
const ENTROPY = 'order-0 entropy of the indices';

/** Part of the drawing that stays free on each side of what is in it, and the least that an axis of scores shows. */
const MARGIN = 0.1;
const LEAST_SCORES = 0.02;

/** What the axis of scores shows: every interval, and room around them for labels, which may be below 0 %. */
function scoresShown({ continuous, points }: Evaluation): [number, number] {
  const ends = [continuous, ...points].flatMap(({ interval }) => interval);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const room = Math.max(MARGIN * (high - low), (LEAST_SCORES - (high - low)) / 2);
  return [low - room, high + room];
}

/**
 * The scores of an evaluation over its bit rates as SVG, with intervals, and the uncut network as a line. Only of an
 * evaluation that has points.
 */
export function rateCurve(evaluation: Evaluation): Promise<string> {
  const { model, metric, recordings, continuous, points } = evaluation;
  const scored = ({ rate, interval: [low, high] }: Evaluation['continuous']) => ({ rate, low, high });
  const curve = points.flatMap((point) => {
    const common = { ...scored(point), codebooks: `k = ${point.k}` };
    return [
      { ...common, bitRate: point.codedBitRate, counted: CODED },
      { ...common, bitRate: point.entropyBitRate, counted: ENTROPY },
    ];
  });
  const mostScore = metric === 'accuracy' ? 1 : Number.MAX_VALUE;
  const score = {
    field: 'rate',
    type: 'quantitative',
    title: metric,
    axis: {
      labelExpr: `datum.value < 0 || datum.value > ${mostScore} ? '' : format(100 * datum.value, '.3~r') + ' %'`,
    },
    scale: { zero: false, domain: scoresShown(evaluation) },
  } as const;
  const most = Math.max(...curve.map(({ bitRate }) => bitRate), 1);
  const rates: [number, number] = [0, (1 + MARGIN) * most];
  const bitRate = {
    field: 'bitRate',
    type: 'quantitative',
    title: 'bit rate in bit/s',
    scale: { domain: rates, nice: false },
  } as const;
  const kinds: string[] = [CODED, ENTROPY];
  const [colours, shapes]: [string[], string[]] = [
    ['#1f5fa8', '#c2570c'],
    ['circle', 'square'],
  ];
  const counted = { field: 'counted', type: 'nominal', title: 'bits counted', sort: kinds } as const;
  const colour = { ...counted, scale: { domain: kinds, range: colours } } as const;
  const shape = { ...counted, scale: { domain: kinds, range: shapes } } as const;
  const uncut = `uncut ${(100 * continuous.rate).toFixed(1)} %`;
  return draw({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: {
      text: `${model}: ${metric} over bit rate`,
      subtitle: `${count(recordings)} recordings, k codebooks; bars and band: 95 % intervals`,
      anchor: 'start',
      offset: 12,
    },
    width: 520,
    height: 340,
    // Its own paper: black text on a page of any colour.
    background: 'white',
    padding: 12,
    config: {
      axis: { labelFontSize: 12, titleFontSize: 12, gridColor: '#e4e4e4' },
      legend: {
        orient: 'bottom',
        direction: 'horizontal',
        labelLimit: 0,
        labelFontSize: 12,
        titleFontSize: 12,
      },
      title: { fontSize: 15, subtitleFontSize: 12 },
    },
    layer: [
      {
        data: { values: [scored(continuous)] },
        layer: [
          {
            mark: { type: 'rect', color: '#d9d9d9', opacity: 0.6 },
            encoding: { y: { ...score, field: 'low' }, y2: { field: 'high' } },
          },
          { mark: { type: 'rule', strokeDash: [6, 4], color: '#555555' }, encoding: { y: score } },
          {
            mark: { type: 'text', text: uncut, align: 'left', dy: -8, fontSize: 12, color: '#555555', x: 6 },
            encoding: { y: score },
          },
        ],
      },
      {
        data: { values: curve },
        layer: [
          { mark: { type: 'line' }, encoding: { x: bitRate, y: score, color: colour } },
          {
            mark: { type: 'rule', strokeWidth: 1.5 },
            encoding: { x: bitRate, y: { ...score, field: 'low' }, y2: { field: 'high' }, color: colour },
          },
          {
            mark: { type: 'point', filled: true, size: 60, opacity: 1 },
            encoding: { x: bitRate, y: score, color: colour, shape },
          },
          // The curve of the entropies is the left one: its labels stand above its bars, out of the other's way.
          ...(['top', 'bottom'] as const).map((baseline) => ({
            transform: [{ filter: { field: 'counted', equal: baseline === 'top' ? CODED : ENTROPY } }],
            mark: { type: 'text', baseline, dy: baseline === 'top' ? 4 : -4, fontSize: 11 } as const,
            encoding: {
              x: bitRate,
              y: { ...score, field: baseline === 'top' ? 'low' : 'high' },
              text: { field: 'codebooks', type: 'nominal' } as const,
              color: colour,
            },
          })),
        ],
      },
    ],
  });
}
