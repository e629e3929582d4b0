import { faintColour, inkColour, legendGapPx, render, textWidthPx, titleOf } from './chart.js';

/** One bar for each category, in one colour. */
export interface Bars {
  readonly name: string;
  /** One per category. */
  readonly values: readonly number[];
  /** What is written at the end of each bar. @default the value */
  readonly texts?: readonly string[];
}

export interface BarChartOptions {
  readonly title: string;
  readonly subtitle?: string;
  readonly xLabel: string;
  /** From top to bottom. */
  readonly categories: readonly string[];
  readonly series: readonly Bars[];
  /** End of the axis. @default what the longest bar needs */
  readonly most?: number;
  /** @default 760 */
  readonly widthPx?: number;
}

const fontSizePx = 12;

/**
 * Bars that lie, as SVG: names of any length stay readable beside them, and the
 * picture grows with their number.
 */
export function barChart(options: BarChartOptions): string {
  const { title, subtitle = '', xLabel, categories, series, most } = options;
  const widthPx = options.widthPx ?? 760;
  const hasLegend = series.length > 1;
  const top = (subtitle === '' ? 48 : 70) + (hasLegend ? 26 : 0);
  const rowPx = 10 + 13 * series.length;
  const heightPx = top + rowPx * categories.length + 52;
  const texts = series.map(({ values, texts: given }) => given ?? values.map(String));
  const left = 24 + Math.max(0, ...categories.map((name) => textWidthPx(name, fontSizePx)));
  const right = 24 + Math.max(0, ...texts.flat().map((text) => textWidthPx(text, fontSizePx)));
  return render(
    {
      title: titleOf(title, { widthPx }, subtitle),
      ...(hasLegend
        ? {
            legend: {
              top: top - 32,
              left: 12,
              itemWidth: 16,
              itemHeight: 10,
              itemGap: legendGapPx,
            },
          }
        : {}),
      grid: { left, right, top, bottom: 52 },
      xAxis: {
        type: 'value',
        name: xLabel,
        nameLocation: 'middle',
        nameGap: 30,
        nameTextStyle: { fontSize: fontSizePx, color: inkColour },
        splitLine: { lineStyle: { color: faintColour } },
        min: 0,
        ...(most === undefined ? {} : { max: most }),
      },
      yAxis: {
        type: 'category',
        inverse: true,
        data: [...categories],
        axisTick: { show: false },
        axisLabel: { interval: 0, fontSize: fontSizePx, color: inkColour },
      },
      series: series.map(({ name, values }, index) => ({
        type: 'bar' as const,
        name,
        barWidth: 11,
        barGap: '10%',
        data: values.map((value, at) => ({
          value,
          label: { formatter: (texts[index]?.[at] ?? '').replaceAll('{', '(') },
        })),
        label: { show: true, position: 'right' as const, fontSize: 11, color: '#555555' },
      })),
    },
    { widthPx, heightPx },
  );
}
