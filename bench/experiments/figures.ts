/** Drawings of results, each on white paper of its own, so that it can be read on a page of any colour. */
import { draw } from '../../src/cli/chart.js';
import type { StoredScore } from './results.js';
import type { Task } from './tasks.js';

type Specification = Parameters<typeof draw>[0];

/** Errors of either kind of task: words that were wrong, labels that were. */
export interface ErrorRate {
  readonly error: number;
  readonly low: number;
  readonly high: number;
}

export function errorOf(
  { count, total, interval: [low, high] }: StoredScore,
  metric: Task['metric'],
): ErrorRate {
  const rate = total === 0 ? 0 : count / total;
  return metric === 'accuracy'
    ? { error: 1 - rate, low: 1 - high, high: 1 - low }
    : { error: rate, low, high };
}

/** Of colours that people who see few of them can tell apart (Okabe and Ito). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#555555'];
const SHAPES = ['circle', 'square', 'triangle-up', 'diamond', 'cross'];

const CONFIG = {
  axis: { labelFontSize: 12, titleFontSize: 12, gridColor: '#e4e4e4' },
  legend: { orient: 'bottom', labelLimit: 0, labelFontSize: 12, titleFontSize: 12, columns: 3 },
  header: { labelFontSize: 13, titleFontSize: 13 },
  title: { fontSize: 15, subtitleFontSize: 12, anchor: 'start', offset: 10 },
} as const;

const PAPER = {
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  background: 'white',
  padding: 12,
  config: CONFIG,
} as const;

/** A series of points over a number. */
export interface Point extends ErrorRate {
  readonly panel: string;
  readonly series: string;
  readonly x: number;
}

export interface CurveFigure {
  readonly title: string;
  readonly subtitle: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly points: readonly Point[];
  /** In the order of the legend. */
  readonly series: readonly string[];
  /** Lines across a panel: the network without a quantiser. */
  readonly levels?: readonly ({ readonly panel: string } & ErrorRate)[];
  /** Dotted lines up a panel: the most bits that may be used. */
  readonly limits?: readonly { readonly panel: string; readonly x: number }[];
  readonly logarithmic?: boolean;
  /** Whether values are parts of one, shown in percent. */
  readonly percent?: boolean;
  /** Whether points of a series are joined by lines; default they are. */
  readonly joined?: boolean;
}

/** One panel a task, with intervals. */
export function curves(figure: CurveFigure): Promise<string> {
  const { title, subtitle, xTitle, yTitle, points, series, levels = [], limits = [] } = figure;
  const { logarithmic = false, percent = true, joined = true } = figure;
  const panels = [...new Set(points.map(({ panel }) => panel))];
  const x = {
    field: 'x',
    type: 'quantitative',
    title: xTitle,
    scale: logarithmic ? ({ type: 'log', nice: false } as const) : ({ zero: false } as const),
    axis: { tickMinStep: 1, ...(logarithmic ? { format: '~s', tickCount: 5 } : {}) },
  } as const;
  const y = {
    field: 'error',
    type: 'quantitative',
    title: yTitle,
    scale: { zero: true },
    axis: percent ? { format: '.0%' } : {},
  } as const;
  const domain = [...series];
  const bySeries = <R extends readonly string[]>(range: R) =>
    ({ field: 'series', type: 'nominal', title: null, sort: domain, scale: { domain, range } }) as const;
  const [colour, shape] = [bySeries(COLOURS), bySeries(SHAPES)];
  const specification: Specification = {
    ...PAPER,
    title: { text: title, subtitle },
    hconcat: panels.map((panel) => ({
      title: { text: panel, fontSize: 13, anchor: 'middle', offset: 4 },
      width: 300,
      height: 260,
      layer: [
        {
          data: { values: levels.filter((level) => level.panel === panel) },
          layer: [
            {
              mark: { type: 'rect', color: '#d9d9d9', opacity: 0.6 },
              encoding: { y: { ...y, field: 'low' }, y2: { field: 'high' } },
            },
            { mark: { type: 'rule', strokeDash: [6, 4], color: '#555555' }, encoding: { y } },
          ],
        },
        ...limits
          .filter((limit) => limit.panel === panel)
          .map((limit) => ({
            data: { values: [limit] },
            mark: { type: 'rule' as const, strokeDash: [2, 3], color: '#555555' },
            encoding: { x },
          })),
        {
          data: { values: points.filter((point) => point.panel === panel) },
          layer: [
            ...(joined
              ? [{ mark: { type: 'line', strokeWidth: 1.5 } as const, encoding: { x, y, color: colour } }]
              : []),
            {
              mark: { type: 'rule', strokeWidth: 1 } as const,
              encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color: colour },
            },
            {
              mark: { type: 'point', filled: true, size: 50, opacity: 1 } as const,
              encoding: { x, y, color: colour, shape },
            },
          ],
        },
      ],
    })),
  };
  return draw(specification);
}

export interface ScatterFigure {
  readonly title: string;
  readonly subtitle: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly points: readonly {
    readonly panel: string;
    readonly x: number;
    readonly y: number;
    readonly cut: string;
  }[];
}

/** Pairs of positive numbers, one panel a task, both axes logarithmic. */
export function scatter({ title, subtitle, xTitle, yTitle, points }: ScatterFigure): Promise<string> {
  const panels = [...new Set(points.map(({ panel }) => panel))];
  return draw({
    ...PAPER,
    title: { text: title, subtitle },
    hconcat: panels.map((panel) => ({
      title: { text: panel, fontSize: 13, anchor: 'middle', offset: 4 },
      width: 300,
      height: 260,
      data: { values: points.filter((point) => point.panel === panel && point.x > 0 && point.y > 0) },
      mark: { type: 'point', filled: true, size: 50, opacity: 0.9 },
      encoding: {
        x: {
          field: 'x',
          type: 'quantitative',
          title: xTitle,
          scale: { type: 'log' },
          axis: { tickCount: 4, format: '~g' },
        },
        y: {
          field: 'y',
          type: 'quantitative',
          title: yTitle,
          scale: { type: 'log' },
          axis: { tickCount: 4, format: '~g' },
        },
        color: { field: 'cut', type: 'ordinal', title: 'cut after layer', scale: { scheme: 'viridis' } },
      },
    })),
  });
}

export interface GridFigure {
  readonly title: string;
  readonly subtitle: string;
  readonly xTitle: string;
  readonly points: readonly {
    readonly row: string;
    readonly panel: string;
    readonly x: number;
    readonly y: number;
    readonly series: string;
  }[];
}

/** Several measures by cut: a row for each, a column for each task. */
export function grid({ title, subtitle, xTitle, points }: GridFigure): Promise<string> {
  const rows = [...new Set(points.map(({ row }) => row))];
  const panels = [...new Set(points.map(({ panel }) => panel))];
  return draw({
    ...PAPER,
    title: { text: title, subtitle },
    vconcat: rows.map((row, r) => ({
      hconcat: panels.map((panel, p) => ({
        ...(r === 0 ? { title: { text: panel, fontSize: 13, anchor: 'middle' as const, offset: 4 } } : {}),
        width: 240,
        height: 120,
        data: { values: points.filter((point) => point.row === row && point.panel === panel) },
        layer: [
          { mark: { type: 'line' as const, strokeWidth: 1.5, color: COLOURS[0]! } },
          { mark: { type: 'point' as const, filled: true, size: 45, color: COLOURS[0]!, opacity: 1 } },
        ],
        encoding: {
          x: {
            field: 'x',
            type: 'quantitative' as const,
            title: r === rows.length - 1 ? xTitle : null,
            axis: { tickMinStep: 1, format: 'd' },
          },
          y: { field: 'y', type: 'quantitative' as const, title: p === 0 ? row : null },
          detail: { field: 'series', type: 'nominal' as const },
        },
      })),
    })),
  });
}
