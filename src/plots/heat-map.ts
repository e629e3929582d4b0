import { inkColour, render, textWidthPx, titleOf } from './chart.js';

export interface HeatMapOptions {
  readonly title: string;
  readonly subtitle?: string;
  /** Names of the columns, left to right. */
  readonly columns: readonly string[];
  /** Names of the rows, top to bottom. */
  readonly rows: readonly string[];
  /** What the columns and the rows stand for. */
  readonly columnLabel: string;
  readonly rowLabel: string;
  /** `[row][column]`, 0 or more. */
  readonly values: readonly (readonly number[])[];
  /** Few large values beside many small ones: colours follow the logarithm. @default false */
  readonly isLogarithmic?: boolean;
}

const cellPx = 27;
const fontSizePx = 12;
const ramp = ['#f7fbff', '#c6dbef', '#6baed6', '#2171b5', '#08306b'];

/** A matrix of counts as coloured cells with their numbers, as SVG. Empty cells stay empty. */
export function heatMap(options: HeatMapOptions): string {
  const { title, subtitle = '', columns, rows, values, isLogarithmic = false } = options;
  const shade = (value: number) => (isLogarithmic ? Math.log1p(value) : value);
  const longest = (names: readonly string[]) =>
    Math.max(0, ...names.map((name) => textWidthPx(name, fontSizePx)));
  const left = longest(rows) + 48;
  const bottom = longest(columns) + 44;
  const top = subtitle === '' ? 52 : 72;
  const widthPx = Math.max(left + columns.length * cellPx + 20, 560);
  const heightPx = top + rows.length * cellPx + bottom;
  const most = Math.max(1, ...values.flat());
  const category = {
    type: 'category' as const,
    axisTick: { show: false },
    axisLine: { show: false },
    splitArea: { show: true, areaStyle: { color: ['#f7f7f7'] } },
    nameLocation: 'middle' as const,
    nameTextStyle: { fontSize: fontSizePx, fontWeight: 'bold' as const, color: inkColour },
  };
  return render(
    {
      title: titleOf(title, { widthPx }, subtitle),
      grid: { left, top, width: columns.length * cellPx, height: rows.length * cellPx },
      xAxis: {
        ...category,
        data: [...columns],
        name: options.columnLabel,
        nameGap: longest(columns) + 18,
        axisLabel: { interval: 0, rotate: 90, fontSize: fontSizePx, color: inkColour },
      },
      yAxis: {
        ...category,
        data: [...rows],
        inverse: true,
        name: options.rowLabel,
        nameGap: longest(rows) + 18,
        axisLabel: { interval: 0, fontSize: fontSizePx, color: inkColour },
      },
      visualMap: {
        show: false,
        min: 0,
        max: shade(most),
        dimension: 2,
        inRange: { color: ramp },
      },
      series: [
        {
          type: 'heatmap',
          data: values.flatMap((row, y) =>
            row.flatMap((value, x) =>
              value === 0
                ? []
                : [
                    {
                      value: [x, y, shade(value)],
                      label: {
                        formatter: compact(value),
                        color: shade(value) > shade(most) * 0.55 ? '#ffffff' : inkColour,
                      },
                    },
                  ],
            ),
          ),
          label: { show: true, fontSize: 9 },
          itemStyle: { borderColor: '#ffffff', borderWidth: 1 },
        },
      ],
    },
    { widthPx, heightPx },
  );
}

/** At most four characters: 7, 0.31, 985, 1.2k, 13k. */
function compact(value: number): string {
  if (!Number.isInteger(value) && value < 10) return value.toFixed(2);
  if (value < 1000) return String(Math.round(value));
  const thousands = value / 1000;
  return `${thousands < 9.95 ? thousands.toFixed(1) : Math.round(thousands)}k`;
}
