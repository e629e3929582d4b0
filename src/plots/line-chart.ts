import {
  type ChartSize,
  faintColour,
  inkColour,
  legendGapPx,
  palette,
  render,
  titleOf,
} from './chart.js';

/** One curve. */
export interface Line {
  readonly name: string;
  /** In the order of x; a point whose y is not finite breaks the line. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Written above the points, one each. @default nothing */
  readonly texts?: readonly string[];
  /** @default false */
  readonly isDashed?: boolean;
  /** Lines of one group share a colour, so that training and validation of one measure go together. @default the name */
  readonly group?: string;
}

export interface LineChartOptions extends Partial<ChartSize> {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly Line[];
  /** Ends of the y axis. @default around the points */
  readonly yRange?: readonly [low: number, high: number];
  readonly xRange?: readonly [low: number, high: number];
  /** A vertical mark, such as the best epoch. */
  readonly mark?: { readonly x: number; readonly text: string };
}

/** Curves over a numeric axis, as SVG. */
export function lineChart(options: LineChartOptions): string {
  const { title, xLabel, yLabel, lines, mark, yRange, xRange } = options;
  const size = { widthPx: options.widthPx ?? 680, heightPx: options.heightPx ?? 420 };
  const groups = [...new Set(lines.map(({ name, group }) => group ?? name))];
  const xs = lines.flatMap(({ points }) => points.map(([x]) => x));
  const least = xs.length > 0 ? Math.min(...xs) : 0;
  const most = xs.length > 0 ? Math.max(...xs) : 1;
  const areWhole = xs.every(Number.isInteger);
  const nameStyle = { fontSize: 12, color: inkColour };
  const axis = {
    type: 'value' as const,
    axisLine: { show: true, lineStyle: { color: '#888888' } },
    axisTick: { show: true },
    splitLine: { lineStyle: { color: faintColour } },
    nameLocation: 'middle' as const,
    nameTextStyle: nameStyle,
  };
  return render(
    {
      title: titleOf(title, size),
      legend: {
        top: 40,
        left: 12,
        itemWidth: 28,
        itemHeight: 8,
        itemGap: legendGapPx,
        data: lines.map(({ name }) => name),
        textStyle: { color: inkColour },
      },
      grid: { left: 72, right: 28, top: lines.length > 4 ? 104 : 82, bottom: 56 },
      xAxis: {
        ...axis,
        name: xLabel,
        nameGap: 32,
        ...(areWhole ? { minInterval: 1 } : {}),
        min: xRange?.[0] ?? least,
        // One epoch is a point and needs room on one side.
        max: xRange?.[1] ?? (most > least ? most : least + 1),
      },
      yAxis: {
        ...axis,
        name: yLabel,
        nameGap: 50,
        scale: true,
        ...(yRange === undefined ? {} : { min: yRange[0], max: yRange[1] }),
      },
      series: lines.map((line, index) => {
        const { name, points, isDashed = false, group = name, texts } = line;
        const colour = palette[groups.indexOf(group) % palette.length] ?? inkColour;
        return {
          type: 'line' as const,
          name,
          data: points.map(([x, y], at) => ({
            value: [x, Number.isFinite(y) ? y : null],
            ...(texts === undefined ? {} : { label: { formatter: texts[at] ?? '' } }),
          })),
          ...(texts === undefined
            ? {}
            : { label: { show: true, position: 'top' as const, fontSize: 11, color: colour } }),
          showSymbol: points.length < 40,
          symbol: isDashed ? 'emptyCircle' : 'circle',
          symbolSize: 5,
          itemStyle: { color: colour },
          lineStyle: { width: 2, color: colour, type: isDashed ? ('dashed' as const) : 'solid' },
          ...(mark !== undefined && index === 0
            ? {
                markLine: {
                  symbol: 'none',
                  silent: true,
                  lineStyle: { color: '#888888', type: 'dotted' as const },
                  label: { formatter: mark.text, color: '#666666', position: 'end' as const },
                  data: [{ xAxis: mark.x }],
                },
              }
            : {}),
        };
      }),
    },
    size,
  );
}
