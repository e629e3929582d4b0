import { BarChart, HeatmapChart, LineChart } from 'echarts/charts';
import {
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TitleComponent,
  VisualMapComponent,
} from 'echarts/components';
import * as echarts from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { openTypeface } from './text.js';

echarts.use([
  BarChart,
  HeatmapChart,
  LineChart,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TitleComponent,
  VisualMapComponent,
  SVGRenderer,
]);

/** What a chart draws: an option of Apache ECharts. */
export type ChartOption = Parameters<ReturnType<typeof echarts.init>['setOption']>[0];

/** Of the whole drawing, titles and axes included. */
export interface ChartSize {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Told apart by people with any colour vision. Source: Okabe & Ito, "Color Universal Design", 2008. */
export const palette: readonly string[] = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#444444',
];

/** Of text and axes. */
export const inkColour = '#222222';
/** Of grids. */
export const faintColour = '#dddddd';
const fontFamily = 'DejaVu Sans, Verdana, system-ui, sans-serif';

/** Draws a chart as one SVG document, without a browser and without a font: text stays text. */
export function render(option: ChartOption, { widthPx, heightPx }: ChartSize): string {
  const chart = echarts.init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: widthPx,
    height: heightPx,
  });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      color: [...palette],
      textStyle: { fontFamily, color: inkColour, fontSize: 12 },
      ...option,
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

/** Entries of a legend stand this far apart; the width of their text is only guessed without a browser. */
export const legendGapPx = 24;

/** A title in the upper left corner, cut where it would leave the picture. */
export function titleOf(text: string, { widthPx }: Pick<ChartSize, 'widthPx'>, subtext = '') {
  return {
    text,
    subtext,
    left: 12,
    top: 10,
    itemGap: 6,
    textStyle: {
      fontFamily,
      fontSize: 15,
      color: inkColour,
      width: widthPx - 24,
      overflow: 'break' as const,
    },
    subtextStyle: {
      fontFamily,
      fontSize: 12,
      color: '#666666',
      width: widthPx - 24,
      overflow: 'break' as const,
    },
  };
}

/** How wide text is at most, in pixels: DejaVu Sans is wider than what browsers fall back to. */
export function textWidthPx(text: string, fontSizePx: number): number {
  return Math.ceil(openTypeface().widthPx(text, fontSizePx));
}
